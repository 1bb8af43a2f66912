"""Slash commands, shortcuts, buttons and modals of Slack to what they mean. Pure; calls nobody."""

from __future__ import annotations

from dataclasses import replace

from bot import Command, Content, Message, Pressed, Sender, Submitted
from channels.slack.incoming import FormWanted, Heard, Incoming, Known, Nothing, Payload, Sent, need, stamp
from channels.slack.inputs import answers, fields_of
from channels.slack.render import FORM, LINK, thread_in
from channels.slack.views import place_of
from channels.slack.words import from_mrkdwn, items, mapping, text_of


def read_interaction(payload: Payload, known: Known) -> Incoming:
    """What it means; Nothing for kinds that are not for us. Raises ValueError when it can't be read."""
    match payload.get("type"):
        case "block_actions":
            return _pressed(payload, known)
        case "view_submission":
            return _submitted(payload, known)
        case "shortcut" | "message_action":
            return _shortcut(payload, known)
        case None:
            return _command(payload, known)
        case _:
            return Nothing()


def _pressed(payload: Payload, known: Known) -> Incoming:
    actions = [mapping(one) for one in items(payload.get("actions"))]
    if not actions:
        raise ValueError("there is no action in it")
    action, kind = actions[0], text_of(actions[0].get("action_id"))
    if kind == LINK or mapping(payload.get("view")) or not mapping(payload.get("container")):
        return Nothing()
    team, (chat, thread) = _team(payload), _place(payload, action)
    option = mapping(action.get("selected_option"))
    token = text_of(action.get("value")) or text_of(option.get("value"))
    if not token:
        return Nothing()
    label = mapping(action.get("text")) or mapping(option.get("text"))
    at = text_of(action.get("action_ts")) or need(payload, "trigger_id")
    said = Pressed(token=token, label=text_of(label.get("text")))
    heard = _heard(known, payload, team, (chat, thread), f"b.{chat}.{at}.{kind}", said)
    if kind == FORM:
        return FormWanted(team, need(payload, "trigger_id"), token, chat, thread, heard.message)
    return heard


def _place(payload: Payload, action: Payload) -> tuple[str, str]:
    """Where the buttons are. Our own block says the thread; Slack leaves it out for what only one person sees."""
    container, message = mapping(payload.get("container")), mapping(payload.get("message"))
    chat = text_of(container.get("channel_id")) or need(mapping(payload.get("channel")), "id")
    thread = thread_in(text_of(action.get("block_id")))
    if thread is None:
        root = text_of(container.get("thread_ts")) or text_of(message.get("thread_ts"))
        thread = "" if root == text_of(container.get("message_ts")) else root
    return chat, thread


def _submitted(payload: Payload, known: Known) -> Incoming:
    view = mapping(payload.get("view"))
    place = place_of(text_of(view.get("private_metadata")))
    if place is None:
        return Nothing()  # a modal that is not ours
    values, text = answers(view)
    # A modal can be sent once: whoever sends it again was told that it failed.
    id = f"v.{need(view, 'id')}"
    team = place.team or text_of(view.get("app_installed_team_id")) or _team(payload)
    said = Submitted(token=place.token, values=values, text=text)
    heard = _heard(known, payload, team, (place.chat, place.thread), id, said)
    return replace(heard, form=Sent(fields_of(view), place.note))


def _shortcut(payload: Payload, known: Known) -> Incoming:
    name = need(payload, "callback_id").lower()
    message = mapping(payload.get("message"))
    user = need(mapping(payload.get("user")), "id")
    team = _team(payload)
    id = f"s.{text_of(payload.get('trigger_id')) or need(payload, 'action_ts')}"
    text = from_mrkdwn(text_of(message.get("text")), "", known.names(team))
    heard = _heard(known, payload, team, (user, ""), id, Command(name=name, text=text))
    if not message:
        return heard
    chat, ts = need(mapping(payload.get("channel")), "id"), stamp(message, "ts")
    thread = text_of(message.get("thread_ts")) or ("" if chat.startswith("D") else ts)
    return replace(heard, joined=(known.address(team, chat, thread),))


def _command(payload: Payload, known: Known) -> Incoming:
    name = need(payload, "command").removeprefix("/").lower()
    text = from_mrkdwn(text_of(payload.get("text")), "", known.names(_team(payload))).strip()
    team, chat = _team(payload), need(payload, "channel_id")
    id = f"c.{need(payload, 'trigger_id')}"
    heard = _heard(known, payload, team, (need(payload, "user_id"), ""), id, Command(name=name, text=text))
    # Typed in a channel, it stands nowhere that an answer or a further question could stand below.
    return replace(heard, at=chat, joined=(known.address(team, chat),) if chat.startswith("D") else ())


def _heard(known: Known, payload: Payload, team: str, place: tuple[str, str], id: str, said: Content) -> Heard:
    user = mapping(payload.get("user"))
    who = text_of(user.get("id")) or need(payload, "user_id")
    name = known.name(team, who) or text_of(user.get("name")) or text_of(user.get("username"))
    message = Message(
        event_id=known.scoped(team, id),
        address=known.address(team, *place),
        sender=Sender(id=known.scoped(team, who), name=name or text_of(payload.get("user_name"))),
        content=said,
        at=known.now,
    )
    return Heard(message, team=team)


def _team(payload: Payload) -> str:
    """The workspace, or the organisation where the app is installed for all of it."""
    if payload.get("is_enterprise_install") in (True, "true"):
        found = text_of(mapping(payload.get("enterprise")).get("id")) or text_of(payload.get("enterprise_id"))
        if found:
            return found
    team = text_of(mapping(payload.get("team")).get("id")) or text_of(payload.get("team_id"))
    return team or text_of(mapping(payload.get("user")).get("team_id"))
