"""The platforms as the measured servers meet them: the webhooks of Slack, Telegram and the Bot Connector, signed as
theirs are, and the answers to what a bot posts back. Pure: knows bytes, no sockets.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from abc import ABC, abstractmethod

MARK = re.compile(rb"mark[a-j]{10}")
_LETTERS = str.maketrans("0123456789", "abcdefghij")  # a digit in it would make every message name an order
WORDS = "say hello MARK, where is my order? It should have come on Monday."
CONVERSATIONS = 4000  # more than 30 messages of one within 10 s would be told to slow down
SLACK_PATH = "/channels/bench/events"
SECRET = "an-invented-signing-secret"  # noqa: S105 - invented
TELEGRAM_TOKEN = "123456:invented"  # noqa: S105 - invented


def answer(body: str) -> bytes:
    """A whole 200 with JSON."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


class Platform(ABC):
    """One platform: makes webhooks, each from another conversation than the one before, and answers posts."""

    path: str
    taken: bytes
    """The answer to a reply."""

    def __init__(self, *, conversations: int = CONVERSATIONS, words: str = WORDS) -> None:
        self._conversations, self._words = conversations, words
        self._number = 0
        self._head = ""

    def aim(self, port: int, sink: str) -> None:
        """Learn where the server will be, and where the platform is."""
        self._sink = sink
        self._head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: */*\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )

    def next(self, *, forged: bool = False) -> tuple[bytes, bytes]:
        """The mark and the bytes of the next one; a forged one has no valid signature, secret or token."""
        self._number += 1
        mark = "mark" + f"{self._number:010d}".translate(_LETTERS)
        now = time.time()
        body = self._body(self._number % self._conversations, mark, self._words.replace("MARK", mark), now).encode()
        proof = self._proof(body, now, forged=forged)
        return mark.encode(), f"{self._head}{len(body)}\r\n{proof}\r\n\r\n".encode() + body

    @abstractmethod
    def other(self, head: bytes, body: bytes) -> bytes:
        """The answer to a call that is no reply."""

    @abstractmethod
    def _body(self, conversation: int, mark: str, text: str, now: float) -> str:
        """The JSON of a message."""

    @abstractmethod
    def _proof(self, body: bytes, now: float, *, forged: bool) -> str:
        """The header lines by which the server knows that the platform sent it."""


class Slack(Platform):
    """The Events API: a v0 signature over the time and the body."""

    taken = answer(
        json.dumps(
            {"ok": True, "channel": "C1", "ts": "1700000000.000100", "message": {"type": "message", "text": "ok"}}
        )
    )

    def __init__(
        self, *, path: str = SLACK_PATH, conversations: int = CONVERSATIONS, words: str = WORDS, secret: str = SECRET
    ) -> None:
        super().__init__(conversations=conversations, words=words)
        self.path = path
        self._key = secret.encode()

    def other(self, head: bytes, body: bytes) -> bytes:
        """Who the bot is, who a person is, and that there are no channels to list."""
        if b"users.info" in head:
            return answer('{"ok":true,"user":{"id":"U0001","name":"somebody","profile":{"bot_id":"B0001"}}}')
        if b"conversations.list" in head:
            return answer('{"ok":true,"channels":[],"response_metadata":{"next_cursor":""}}')
        return answer(
            '{"ok":true,"url":"https://x.slack.com/","team":"T","user":"bot","team_id":"T0001","user_id":"U0001",'
            '"bot_id":"B0001"}'
        )

    def _body(self, conversation: int, mark: str, text: str, now: float) -> str:
        said = f'{{"type":"rich_text_section","elements":[{{"type":"text","text":"{text}"}}]}}'
        blocks = f'[{{"type":"rich_text","block_id":"Xy1","elements":[{said}]}}]'
        return (
            f'{{"token":"invented","team_id":"T0001","context_team_id":"T0001","context_enterprise_id":null,"api_app_id":"A0001",'
            f'"event":{{"user":"U{conversation:08d}","type":"message","ts":"{now:.6f}","client_msg_id":"{mark}-47a2",'
            f'"text":"{text}","team":"T0001","blocks":{blocks},"channel":"C{conversation:08d}","event_ts":"{now:.6f}",'
            f'"channel_type":"im"}},"type":"event_callback","event_id":"Ev{mark}","event_time":{int(now)},'
            f'"authorizations":[{{"enterprise_id":null,"team_id":"T0001","user_id":"U0001","is_bot":true,'
            f'"is_enterprise_install":false}}],"is_ext_shared_channel":false,"event_context":"4-invented"}}'
        )

    def _proof(self, body: bytes, now: float, *, forged: bool) -> str:
        stamp = str(int(now))
        signed = hmac.digest(self._key, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hex()
        if forged:
            signed = signed[::-1]
        return f"X-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: v0={signed}"


class Telegram(Platform):
    """The Bot API: the secret that the bot named in setWebhook comes with every update."""

    taken = answer(
        '{"ok":true,"result":{"message_id":7,"date":1700000000,"text":"ok","chat":{"id":100,"type":"private",'
        '"first_name":"Ann"},"from":{"id":123456,"is_bot":true,"first_name":"Bot","username":"a_bot"}}}'
    )

    def __init__(self, *, path: str, conversations: int = CONVERSATIONS, words: str = WORDS) -> None:
        super().__init__(conversations=conversations, words=words)
        self.path = path
        self._secret = ""

    def other(self, head: bytes, body: bytes) -> bytes:
        """Who the bot is; true for whatever else it sets."""
        if b"/getMe" in head:
            return answer(
                '{"ok":true,"result":{"id":123456,"is_bot":true,"first_name":"Bot","username":"a_bot",'
                '"can_join_groups":true,"can_read_all_group_messages":false,"supports_inline_queries":false}}'
            )
        given = re.search(rb'secret_token"?(?:=|: ?")([\w-]+)', body)
        if b"/setWebhook" in head and given:
            self._secret = given[1].decode()
        return answer('{"ok":true,"result":true}')

    def _body(self, conversation: int, mark: str, text: str, now: float) -> str:
        who = f'"id":{1000 + conversation},"first_name":"Ann","last_name":"Other","username":"ann{conversation}"'
        return (
            f'{{"update_id":{self._number},"message":{{"message_id":{self._number},'
            f'"from":{{{who},"is_bot":false,"language_code":"en"}},"chat":{{{who},"type":"private"}},'
            f'"date":{int(now)},"text":"{text}"}}}}'
        )

    def _proof(self, body: bytes, now: float, *, forged: bool) -> str:
        return f"X-Telegram-Bot-Api-Secret-Token: {'forged' if forged else self._secret}"


class BotConnector(Platform):
    """The Activity protocol: a bearer token signed with RS256, the same for an hour, as the Bot Connector has it."""

    path = "/api/messages"
    taken = answer('{"id":"5d5cdc723|7"}')

    def __init__(self, *, conversations: int = CONVERSATIONS, words: str = WORDS) -> None:
        super().__init__(conversations=conversations, words=words)
        self.token = self.keys = ""
        """Whoever starts the server puts them here: the token is signed with a key made for that run."""

    def other(self, head: bytes, body: bytes) -> bytes:
        """The keys that tokens are signed with; a resource with an id for anything else."""
        return answer(self.keys) if head.startswith(b"GET /keys ") else self.taken

    def _body(self, conversation: int, mark: str, text: str, now: float) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        return (
            f'{{"type":"message","id":"{self._number}","timestamp":"{stamp}.000Z","localTimestamp":"{stamp}.000Z",'
            f'"channelId":"webchat","serviceUrl":"{self._sink}/","from":{{"id":"user{conversation}","name":"Ann"}},'
            f'"conversation":{{"id":"conversation{conversation}"}},"recipient":{{"id":"bot@invented","name":"Bot"}},'
            f'"textFormat":"plain","locale":"en-US","text":"{text}","entities":[{{"type":"ClientCapabilities",'
            f'"requiresBotState":true,"supportsListening":true,"supportsTts":true}}],'
            f'"channelData":{{"clientActivityID":"{self._number}"}}}}'
        )

    def _proof(self, body: bytes, now: float, *, forged: bool) -> str:
        head, _, signature = self.token.rpartition(".")
        return f"Authorization: Bearer {head}.{signature[::-1] if forged else signature}"
