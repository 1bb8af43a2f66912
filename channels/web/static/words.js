/* What the widget itself says, by language. */
const en = {
  bot: 'Bot', botSub: 'Bot · answers at once', human: 'Person', humanSub: 'A person from our team', teamSub: 'We’re here', you: 'You', conversation: 'Conversation', menu: 'Menu',
  close: 'Close chat', write: 'Write a message…', send: 'Send', attach: 'Attach a file', sending: 'Sending…', sent: 'Sent',
  waiting: 'Waiting for the connection', failed: 'Not sent', retry: 'Retry', remove: 'Delete', newLine: 'New',
  newPill: (n) => `↓ ${n} new`, down: 'To the newest message', typing: (who) => `${who} is replying`, choices: 'Suggested answers',
  offline: 'You’re offline. What you write is kept and sent when you’re back.', reconnecting: 'Reconnecting…', online: 'Connected again',
  transcript: 'Save transcript', over: 'New conversation', sure: 'Press again to start over', tooLarge: (mb) => `That file is too large: at most ${mb} MB.`,
  wrongType: 'Files of this type can’t be sent here.', uploadFailed: 'The file could not be sent.', takeOff: (name) => `Remove ${name}`,
  tooLong: (n) => `${n} characters too long`, drop: 'Drop files to send them', open: 'Open',
};
const de = {
  bot: 'Bot', botSub: 'Bot · antwortet sofort', human: 'Mensch', humanSub: 'Ein Mensch aus unserem Team', teamSub: 'Wir sind da', you: 'Sie', conversation: 'Unterhaltung', menu: 'Menü',
  close: 'Chat schließen', write: 'Nachricht schreiben …', send: 'Senden', attach: 'Datei anhängen', sending: 'Wird gesendet …', sent: 'Gesendet',
  waiting: 'Wartet auf die Verbindung', failed: 'Nicht gesendet', retry: 'Wiederholen', remove: 'Löschen', newLine: 'Neu',
  newPill: (n) => `↓ ${n} neu`, down: 'Zur neuesten Nachricht', typing: (who) => `${who} antwortet gerade`, choices: 'Antwortvorschläge',
  offline: 'Sie sind offline. Was Sie schreiben, wird aufgehoben und später gesendet.', reconnecting: 'Verbindung wird wiederhergestellt …', online: 'Wieder verbunden',
  transcript: 'Verlauf speichern', over: 'Neue Unterhaltung', sure: 'Zum Bestätigen noch einmal drücken', tooLarge: (mb) => `Die Datei ist zu groß: höchstens ${mb} MB.`,
  wrongType: 'Dateien dieser Art können hier nicht gesendet werden.', uploadFailed: 'Die Datei konnte nicht gesendet werden.', takeOff: (name) => `${name} entfernen`,
  tooLong: (n) => `${n} Zeichen zu lang`, drop: 'Dateien zum Senden hier ablegen', open: 'Öffnen',
};
const ar = {
  bot: 'روبوت', botSub: 'روبوت · يجيب فورًا', human: 'موظف', humanSub: 'شخص من فريقنا', teamSub: 'نحن هنا', you: 'أنت', conversation: 'المحادثة', menu: 'القائمة',
  close: 'إغلاق المحادثة', write: 'اكتب رسالة…', send: 'إرسال', attach: 'إرفاق ملف', sending: 'جارٍ الإرسال…', sent: 'أُرسلت',
  waiting: 'بانتظار الاتصال', failed: 'لم تُرسل', retry: 'إعادة المحاولة', remove: 'حذف', newLine: 'جديد',
  newPill: (n) => `↓ ${n} جديدة`, down: 'إلى أحدث رسالة', typing: (who) => `${who} يكتب الآن`, choices: 'إجابات مقترحة',
  offline: 'أنت غير متصل. ما تكتبه محفوظ وسيُرسل عند عودة الاتصال.', reconnecting: 'جارٍ إعادة الاتصال…', online: 'عاد الاتصال',
  transcript: 'حفظ المحادثة', over: 'محادثة جديدة', sure: 'اضغط مرة أخرى للتأكيد', tooLarge: (mb) => `الملف كبير جدًا: الحد الأقصى ${mb} ميغابايت.`,
  wrongType: 'لا يمكن إرسال هذا النوع من الملفات.', uploadFailed: 'تعذر إرسال الملف.', takeOff: (name) => `إزالة ${name}`,
  tooLong: (n) => `أطول من المسموح بـ ${n} حرفًا`, drop: 'أفلت الملفات هنا لإرسالها', open: 'فتح',
};
const ALL = { en, de, ar };
export const wordsFor = (lang) => ALL[lang.slice(0, 2).toLowerCase()] || en;
