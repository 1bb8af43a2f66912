"""Phrases: how people say cancel, back, help, a person, yes and no.

A list and nothing else, in English with some German, Spanish, French and Hindi in Latin letters. All as `plain.words`
gives them: lower case, no accents, contractions in full ("do not").
"""

from __future__ import annotations

from bot.text.plain import listed


def phrases(text: str) -> frozenset[str]:
    """Phrases, one per line or between bars."""
    return frozenset(
        " ".join(phrase.split()) for line in text.splitlines() for phrase in line.split("|") if phrase.strip()
    )


CANCEL = phrases(
    """cancel|cancel this|cancel that|cancel it|cancel everything|cancel all|cancle|cancell|cancel please
    stop|stop this|stop it|stop that|stop here|stop asking|stop asking me|quit|exit|abort|end|end this|end it|leave
    end chat|end the chat|end conversation|end this conversation|end this chat|close chat|close this chat
    never mind|nevermind|nvm|never mind that|never mind then|forget it|forget about it|forget that|forget this
    leave it|leave that|drop it|drop this|scrap that|scratch that|do not bother
    no longer needed|no longer necessary|not needed anymore|i changed my mind|changed my mind
    i have changed my mind|i do not want to continue|i do not want this anymore|i do not want this any more
    start over|start again|start from the beginning|restart|begin again|main menu|back to start|go to main menu
    back to the beginning|show me the main menu|reset|enough
    abbrechen|abbruch|stopp|halt|aufhoren|aufhoeren|vergiss es|vergiss das|schon gut|lass gut sein|beenden
    cancelar|cancela|olvidalo|olvidelo|dejalo|para|parar|detente|salir|terminar
    annuler|annule|annulez|laisse tomber|laissez tomber|arrete|arretez|arreter|oubliez|oublie|quitter
    rehne do|rehne dijiye|chhodo|chodo|chhod do|chod do|band karo|band kar do|ruko|mat karo|radd karo"""
)
BACK = phrases(
    """back|go back|back please|previous|previous one|the previous one|step back|one step back|go one step back
    go back one step
    go back a step|a step back|go to previous|previous question|the previous question|last question
    the last question
    back to the last question|back to previous question|back to the previous question|go to the previous question
    go back to the previous question|go back to previous question|go back to the last question
    return to the previous question
    previous step|the previous step|back to the previous step|go back to the previous step|take me back
    bring me back
    undo|undo that|undo last|change my answer|change my last answer|change my previous answer
    change the previous answer
    correct my answer|correct my last answer|wrong answer|i made a mistake|made a mistake|i made a typo|ask me again
    zuruck|zurueck|geh zuruck|einen schritt zuruck|einen schritt zurueck|vorherige frage
    atras|volver|volver atras|vuelve|regresar|pregunta anterior|anterior
    en arriere|revenir|revenir en arriere|retour en arriere|question precedente|precedent
    wapas|wapas jao|peeche|peeche jao|pichla sawal"""
)
HELP = phrases(
    """help|help me|help me out|get help|need help|i need help|i need some help|need some help|i want help
    get some help|hlep|helpp
    help needed|help required|i require help|i need assistance|need assistance|assist me|assistance
    help me with this
    what can you do|what can you do for me|what do you do|what can i do|what can i ask|what can i ask you
    what can i say
    what can i do here|what else can you do|what are my options|what are the options|options|menu|commands|show menu
    how can you help|how can you help me|how do you help|what can you help with|what can you help me with
    what should i do
    how does this work|how does it work|how do i use this|how to use this|how do you work|show help|info
    instructions
    i do not understand|i do not get it|i do not understand this|i do not understand the question|i am confused
    what do you mean|what does that mean|what should i say|what should i write|what do i do|i am lost|i am stuck
    hilfe|hilf mir|ich brauche hilfe|was kannst du|was kannst du tun|was konnen sie|ich verstehe nicht
    ayuda|ayudame|necesito ayuda|que puedes hacer|no entiendo|ayudeme
    aide|aide moi|aidez moi|a l aide|j ai besoin d aide|que peux tu faire|je ne comprends pas
    madad|madad karo|madad chahiye|meri madad karo|help karo|help chahiye|samajh nahi aaya|mujhe madad chahiye"""
)
PERSON = phrases(
    """operator|agent|human|representative|mensch|mitarbeiter|humano|agente|humain|conseiller|un humain|customer care
    customer service|customer support|live chat|live support|live agent|person|real person|supervisor|manager
    is there a human|is there a person|is there a real person|is there anyone real|is a human there
    real person available
    no bot|no bots|not a bot|i do not want a bot|i do not want to talk to a bot|i do not want to talk to a machine
    mit einem menschen sprechen|mit einem mitarbeiter sprechen|ich will mit einem menschen sprechen|echter mensch
    ich mochte mit einem menschen sprechen|ich mochte mit jemandem sprechen|mit jemandem sprechen|einen menschen
    hablar con una persona|quiero hablar con una persona|hablar con un agente|quiero hablar con un agente
    hablar con un humano|quiero hablar con un humano|hablar con alguien|quiero hablar con alguien|una persona
    parler a un humain|je veux parler a un humain|parler a une personne|je veux parler a une personne
    parler a quelqu un|je veux parler a quelqu un|parler a un conseiller|je veux parler a un conseiller
    insaan se baat karni hai|kisi se baat karni hai|mujhe kisi se baat karni hai|agent se baat karni hai
    agent se baat karo|agent se baat karao|mujhe agent se baat karni hai|kisi insaan se baat karni hai"""
)
YES = listed(
    """yes yeah yep yup yea yess ya y ok okay okey k sure absolutely definitely certainly correct right exactly indeed
    agreed affirmative confirm confirmed fine true good great perfect alright ja jawohl genau klar gerne si claro
    vale oui ouais haan han haa ji hanji bilkul"""
)
YES_PHRASES = phrases(
    """of course|go ahead|do it|do that|please do|why not|sounds good|that is right|that is correct|that is it
    it is right
    that is fine|that works|works for me|for sure|go for it|i do|it is|i agree|i am sure|i confirm|no problem
    by all means
    yes i am|yes i do|yes it is|yes that is right|yes that is correct|yes do it|yes go ahead|yes please do
    yes of course
    ok go ahead|ok do it|okay go ahead|sure go ahead|sure why not|yeah go ahead|yeah do it|very good|all right
    naturlich|natuerlich|in ordnung|por supuesto|de acuerdo|bien sur|d accord|theek hai|thik hai|ji haan|kar do
    haan ji"""
)
NO = listed("no nope nah naw nay n never negative false wrong incorrect nein ne non nahi nahin nai mat nunca jamais")
NO_PHRASES = phrases(
    """not now|not really|not at all|no way|do not|do not do it|do not do that|please do not|i do not|i am not
    it is not|not yet
    no thanks|no thank you|i do not think so|i do not want to|i do not want that|i do not want it|i would rather not
    rather not
    no i do not|no i am not|no it is not|no do not|no that is wrong|that is wrong|that is not right
    that is not correct|not right
    not correct|not today|no need|certainly not|absolutely not|definitely not|of course not|no not now|no not really
    no not yet
    auf keinen fall|lieber nicht|nein danke|no gracias|de ninguna manera|claro que no|non merci|pas du tout
    pas maintenant
    nahi chahiye|mat karo|nahi ji|ji nahi"""
)
