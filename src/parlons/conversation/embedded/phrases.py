"""What the embedded recogniser and model know of a language before they have read a prompt: telephone words, replies.

Data only. A language that has no pack here uses the English one for replies, and only its agent's own words in speech.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pack:
    """One language. Phrases are as people write them; matching folds accents."""

    goodbye: tuple[str, ...]
    wait: tuple[str, ...]
    greeting: tuple[str, ...]
    thanks: tuple[str, ...]
    yes: tuple[str, ...]
    no: tuple[str, ...]
    repeat: tuple[str, ...]
    subjects: tuple[str, ...]
    """Words and whole questions callers often say, which the recogniser should hear even when the agent has no answer.
    A question learned whole is told apart far better than an opening and a word."""
    openings: tuple[str, ...]
    fillers: tuple[str, ...]
    """Openings that may come before a goodbye or a yes too, or are heard there when nothing was said."""
    closings: tuple[str, ...]
    """What callers say before and after the words that matter: whole phrases, for loose words are not told apart."""
    topic: str
    """How a keyword is offered; ``{}`` takes the list."""
    or_word: str
    misunderstood: tuple[str, str, str, str]
    """In turn, so that no two neighbours look alike; the first and third take topics at ``{}`` when there are any."""
    misunderstood_bare: tuple[str, str]
    """The first and third, when the prompt holds no topic."""
    says_goodbye: str
    says_welcome: str
    says_thanks: str
    says_yes: str
    says_no: str
    says_listening: str
    says_there: str
    says_more: str
    says_done: str
    says_failed: str
    says_nothing_found: str
    says_which: str
    outcomes: dict[str, str]


FRENCH = Pack(
    goodbye=(
        "au revoir",
        "merci au revoir",
        "bonne journée",
        "bonne soirée",
        "à bientôt",
        "raccrocher",
        "raccrochez",
        "bye",
        "ce sera tout",
        "c'est tout",
    ),
    wait=(
        "un instant",
        "un moment",
        "une minute",
        "ne quittez pas",
        "patientez",
        "veuillez patienter",
        "attendez",
        "deux secondes",
    ),
    greeting=("bonjour", "bonsoir", "allô", "salut"),
    thanks=("merci", "merci beaucoup"),
    yes=("oui", "d'accord", "tout à fait", "c'est ça", "parfait", "très bien"),
    no=("non", "non merci", "pas du tout"),
    repeat=("répétez", "pardon", "vous pouvez répéter", "pouvez-vous répéter", "comment"),
    subjects=(
        "horaires",
        "quels sont vos horaires",
        "adresse",
        "quelle est votre adresse",
        "vos prix",
        "quels sont vos prix",
        "rendez-vous",
        "conseiller",
        "quelqu'un",
        "une personne",
        "support",
    ),
    openings=(
        "je voudrais",
        "je voudrais un",
        "je voudrais une",
        "je voudrais les",
        "je voudrais parler à",
        "je voudrais parler à un",
        "passez-moi le",
        "passez-moi un",
        "quels sont vos",
        "quels sont les",
        "quel est le",
        "quel est votre",
        "quelle est votre",
        "quelle est l'",
        "c'est quoi le",
        "vous avez",
        "j'ai un",
        "j'ai une",
        "les",
        "le",
        "la",
        "un",
        "une",
        "vos",
        "votre",
        "bonjour",
        "merci",
        "bonjour je voudrais",
        "bonjour je voudrais un",
        "bonjour je voudrais une",
        "bonjour quels sont vos",
        "c'est pour un",
        "c'est pour",
    ),
    fillers=("merci", "bonjour"),
    closings=(
        "s'il vous plaît",
        "merci",
    ),
    topic="Je peux vous renseigner sur {}.",
    or_word="ou",
    misunderstood=(
        "Je n'ai pas bien compris. {}",
        "Excusez-moi, pouvez-vous le dire autrement ?",
        "Désolé, cela m'échappe. {}",
        "Un mot suffit : lequel de ces sujets vous intéresse ?",
    ),
    misunderstood_bare=("Je n'ai pas bien compris votre demande.", "Désolé, cela m'échappe encore."),
    says_goodbye="Merci de votre appel. Au revoir, bonne journée.",
    says_welcome="Bonjour, que puis-je faire pour vous ?",
    says_thanks="Je vous en prie. Puis-je faire autre chose pour vous ?",
    says_yes="Très bien, je vous écoute.",
    says_no="Entendu. Souhaitez-vous autre chose ?",
    says_listening="Je vous écoute.",
    says_there="Êtes-vous toujours là ?",
    says_more="Avant de raccrocher, puis-je faire autre chose pour vous ?",
    says_done="C'est fait. Souhaitez-vous autre chose ?",
    says_failed="Désolé, cela n'a pas fonctionné. Puis-je vous aider autrement ?",
    says_nothing_found="Je n'ai pas trouvé cette information.",
    says_which="Pouvez-vous préciser votre demande ?",
    outcomes={
        "busy": "La ligne est occupée. Puis-je vous aider autrement ?",
        "no_answer": "Personne ne répond pour le moment. Puis-je vous aider autrement ?",
        "declined": "Mon correspondant n'est pas disponible. Puis-je vous aider autrement ?",
        "unreachable": "Je n'arrive pas à joindre mon correspondant. Puis-je vous aider autrement ?",
        "out_of_hours": "Le service est fermé en ce moment. Puis-je vous aider autrement ?",
        "invalid_destination": "Je n'ai pas trouvé ce correspondant. Puis-je vous aider autrement ?",
        "refused_by_policy": "Je ne peux pas passer cet appel. Puis-je vous aider autrement ?",
    },
)

ENGLISH = Pack(
    goodbye=(
        "goodbye",
        "thank you goodbye",
        "bye",
        "bye bye",
        "see you",
        "have a nice day",
        "hang up",
        "that's all",
        "that is all",
    ),
    wait=(
        "one moment",
        "just a moment",
        "hold on",
        "please hold",
        "one second",
        "please wait",
        "hang on",
        "bear with me",
    ),
    greeting=("hello", "hi", "good morning", "good afternoon", "good evening"),
    thanks=("thank you", "thanks"),
    yes=("yes", "yes please", "okay", "of course", "that's right", "perfect"),
    no=("no", "no thank you", "not at all"),
    repeat=("repeat", "pardon", "say that again", "can you repeat that"),
    subjects=(
        "opening hours",
        "what are your opening hours",
        "address",
        "what is your address",
        "how much is it",
        "appointment",
        "an agent",
        "somebody",
        "a person",
        "support",
    ),
    openings=(
        "I would like",
        "I would like the",
        "I would like a",
        "I would like an",
        "I want",
        "I want the",
        "I need",
        "I need my",
        "what are your",
        "what are the",
        "what is your",
        "what is the",
        "where is the",
        "how much is the",
        "can I speak to",
        "can I have the",
        "can I have a",
        "tell me the",
        "I have a",
        "the",
        "your",
        "my",
        "a",
        "an",
        "hello",
        "thank you",
        "hello I would like",
        "hello I need my",
        "hello what are your",
        "about the",
    ),
    fillers=("the", "thank you", "hello"),
    closings=(
        "please",
        "thank you",
    ),
    topic="I can help with {}.",
    or_word="or",
    misunderstood=(
        "I did not quite get that. {}",
        "Sorry, could you put it another way?",
        "That one is beyond me. {}",
        "A single word is enough: which subject would you like?",
    ),
    misunderstood_bare=("I did not quite get that.", "That one is still beyond me."),
    says_goodbye="Thank you for calling. Goodbye.",
    says_welcome="Hello, what can I do for you?",
    says_thanks="You are welcome. Is there anything else?",
    says_yes="Very well, go ahead.",
    says_no="All right. Would you like anything else?",
    says_listening="I am listening.",
    says_there="Are you still there?",
    says_more="Before we hang up, is there anything else I can do?",
    says_done="That is done. Would you like anything else?",
    says_failed="Sorry, that did not work. Can I help in another way?",
    says_nothing_found="I could not find that information.",
    says_which="Could you be more precise?",
    outcomes={
        "busy": "The line is busy. Can I help in another way?",
        "no_answer": "Nobody is answering right now. Can I help in another way?",
        "declined": "They are not available. Can I help in another way?",
        "unreachable": "I cannot reach them. Can I help in another way?",
        "out_of_hours": "They are closed at the moment. Can I help in another way?",
        "invalid_destination": "I could not find who you asked for. Can I help in another way?",
        "refused_by_policy": "I am not able to place that call. Can I help in another way?",
    },
)

_PACKS = {"fr": FRENCH, "en": ENGLISH}


def pack(language: str) -> Pack | None:
    """The pack of a BCP 47 language, or None."""
    return _PACKS.get(language.split("-")[0].lower())


def replies(language: str) -> Pack:
    """The pack to answer with: the language's own, else the English one."""
    return pack(language) or ENGLISH
