"""Every sentence that the core itself says to people, in one place, so that the tone can be read in a minute.

CommonMark, with {names} to be filled. An `App` may be given others.
"""

from __future__ import annotations

from bot.messages import Value


class Phrases(Value, frozen=True):
    """What the core says. Skills have words of their own."""

    hello: str = "Hello! I can help you with:"
    can_do: str = "Here is what I can do:"
    no_fit: str = "I can't help with that myself, sorry. Here is what I can do; for anything else I can get a person:"
    no_fit_person: str = "I can't help with that either, sorry. Shall I get you a person?"
    did_you_mean: str = "Did you mean one of these?"
    did_you_mean_this: str = "Did you mean this?"
    neither: str = "Something else"
    neither_then: str = "All right. Could you say it in other words?"
    which_one: str = "Which one do you mean?"

    number: str = "Reply with a number."
    number_or_words: str = "Type your answer, or a number from the list."
    more: str = "Reply MORE for the rest."
    fill_in: str = "Fill in"
    skip: str = "Skip"
    yes: str = "Yes"
    no: str = "No"

    again: str = "Sorry, I didn't get that."
    hint: str = "I'm looking for {hint}."
    pick: str = 'Please pick one of these, or say "never mind".'
    stuck: str = "I can't make sense of that, sorry. Shall I get a person, or shall we leave it?"
    back_to: str = "Back to my question:"
    help_here: str = 'You can answer, or say "back", "never mind" or "talk to a person".'
    cancelled: str = "All right, I've dropped that."
    nothing_to_undo: str = "There is no question open that I could go back in."
    nothing_to_cancel: str = "There is nothing to cancel right now."
    no_way_back: str = (
        'I can\'t go back past what is already done, sorry. You can say "never mind" or "talk to a person".'
    )
    nothing_before: str = 'That was my first question. You can answer it, or say "never mind".'
    too_late: str = "That one is already settled, so I left it alone."
    too_late_question: str = "That one is already settled, so I left it alone. This is still open:"

    sorry: str = "Something went wrong on my side, sorry. Your message is kept, and a person can take it from here."
    updated: str = "I was updated while we were talking and lost my place, sorry. A person can take it from here."
    resting: str = "I can't do that at the moment, sorry. Please try again in a minute, or talk to a person."
    slow_down: str = "That's a lot at once. Give me a moment, and then go on."

    not_aloud: str = "That is for your eyes only, and others read along here. Please write to me in a private chat."

    person: str = "Talk to a person"
    cancel: str = "Never mind"
    queued: str = (
        "I've passed this on to our team with everything said so far. Somebody will answer you right here. "
        'If you\'d rather go on with me, say "never mind".'
    )
    still_waiting: str = 'Everybody is still busy, sorry. You\'re in the queue; say "never mind" to come back to me.'
    still_trying: str = 'I\'m still trying to reach our team, sorry. Say "never mind" to come back to me.'
    no_desk: str = "There is nobody I can pass you to right now, sorry. I'm still here, if there is something else."
    unreachable: str = (
        "I couldn't reach our team, sorry, so nobody has been told. I'm still here: shall I try something?"
    )
    left_queue: str = "You're back with me. What can I do?"
    joined: str = "{agent} has joined the conversation."
    left: str = "{agent} has left the conversation."
    returned: str = "You're back with me, the assistant. I can see what {agent} and you wrote. Is there anything else?"
    returned_untaken: str = "You're back with me, the assistant. What can I do?"
    edited: str = "(edited) {text}"
    opted_out: str = "You will get no more messages from us. If you change your mind, write START."
    opted_in: str = "Good to have you back: you will get messages from us again."

    unsubscribed: str = "You'll get no more broadcasts from me. Write /subscribe if you want them again."
    subscribed: str = "You'll get my broadcasts again. Write /unsubscribe if you don't want them any more."
    model_away: str = (
        "I can't think properly at the moment, sorry: my language model doesn't answer. Please try again soon."
    )
    kept: str = "This was due while you were talking, so I kept it for you:"

    model_none: str = "That is beyond me, sorry. Try it in other words, or ask for a person."
    model_slow: str = "That took me too long, sorry, so I stopped. Please ask me once more."
    model_refused: str = "I can't answer that one, sorry. Could you put it in other words?"
    model_too_long: str = "That is more than I can read at once, sorry. Could you make it shorter?"
    model_spent: str = "I have used up what I may spend on thinking today, sorry. Tomorrow I can answer that again."


ENGLISH = Phrases()
"""What is said unless an app says it otherwise."""
