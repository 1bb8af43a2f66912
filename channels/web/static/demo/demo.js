/* The demo page's own part: buttons that ask something, and the line to copy with this server's address in it. */
window.Frontdesk ||= [];
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-say]');
  if (!button) return;
  window.Frontdesk.push(['open']);
  window.Frontdesk.push(['send', button.dataset.say]);
});
document.getElementById('snippet').textContent = `<script src="${new URL('widget.js', location.href)}" async></script>`;
