"""The question set: what callers ask, and the passage that answers them. Written before any index existed.

`questions/<language>/<kind of company>.yaml` holds passages as a company would write them and questions as its callers
would put them. `shared_words` says how much a question gives away: the content words it has in common with its passage.
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).parent / "questions"
LANGUAGES = ("en", "fr")

STOP_WORDS = {
    "en": frozenset(
        """a about above after again against all also always am an and any anybody anyone anything are as at away back
        be because been before being below between both but by can cannot can't could did do does doesn't doing
        don't down during each else ever every few for from further had has have having he her here hers herself
        him himself his how i i'd i'll i'm i've if in into is isn't it it's its itself just let me might more
        most much must my myself never no nor not nothing now of off on once one only or other our ours
        ourselves out over own same shall she should so some somebody someone something such than that that's
        the their theirs them themselves then there these they thing this those through to too under until up
        upon us very was wasn't we we'd we'll we're we've were what when where whether which while who whom
        whose why will with within without won't would yes yet you you'd you'll you're you've your yours
        yourself may""".split()
    ),
    "fr": frozenset(
        """a à afin ai aie ailleurs ainsi alors après as assez au aucun aucune aujourd'hui auquel aura aurai aussi
        autant autre autres aux avait avais avant avec avez avoir avons c ça car ce ceci cela celle celles celui ces
        cet cette ceux chacun chaque chez ci comme comment contre d dans de dedans dehors depuis dernier
        derrière des dès deux devant doit dois donc dont du elle elles en encore enfin entre es est et étaient
        était été êtes étiez être eu eux fait faire faut fois font hors ici il ils j je jusqu jusque l la là
        laquelle le lequel les lesquels leur leurs lorsque lui m ma mais me même mêmes mes mien moi moins mon n
        ne ni non nos notre nôtre nous on ont ou où par parce parfois pas pendant peu peut peuvent peux plus
        plusieurs plutôt pour pourquoi pourra pourrait pourrai pourrais pouvez pourtant presque près puis
        puisque puis-je qu quand que quel quelle quelles quels quelqu quelque quelques qui quoi quoique rien s
        sa sans se sera serait ses seulement si sien sinon soi soit son sont sous souvent sur t ta tant te tel
        telle tels tes toi ton toujours tous tout toute toutes très trop tu un une va vers voici voilà vos votre
        vôtre vous y""".split()
    ),
}

_ENDINGS = {
    "en": ("ations", "ation", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "ly", "e", "s", "y"),
    "fr": (
        "issements", "issement", "ements", "ement", "ations", "ation", "aient", "erait", "eront", "erez", "eurs",
        "euse", "eur", "ions", "ais", "ait", "ant", "ees", "ent", "ons", "ie", "ez", "er", "ir", "es", "ee", "is", "it",
        "ue", "e", "s", "x", "i",
    ),
}  # fmt: skip
_SHORTEST_STEM = 3
_TRUNCATED_AT = 5
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu)['’]")


@dataclass(frozen=True)
class Passage:
    id: str
    title: str
    text: str


@dataclass(frozen=True)
class Question:
    text: str
    passage_id: str


@dataclass(frozen=True)
class QuestionSet:
    language: str
    passages: dict[str, Passage]
    questions: list[Question]


def load(language: str) -> QuestionSet:
    """Every passage and question of a language. Identifiers are `<kind of company>/<passage>`."""
    passages: dict[str, Passage] = {}
    questions: list[Question] = []
    for path in sorted((FOLDER / language).glob("*.yaml")):
        document = yaml.safe_load(path.read_text("utf-8"))
        for entry in document["passages"]:
            identifier = f"{path.stem}/{entry['id']}"
            assert identifier not in passages, identifier
            passages[identifier] = Passage(identifier, entry["title"], entry["text"])
        questions += [Question(entry["ask"], f"{path.stem}/{entry['passage']}") for entry in document["questions"]]
    return QuestionSet(language, passages, questions)


def content_words(text: str, language: str) -> set[str]:
    """The stems of the words that are not stop words.

    Coarser than a stemmer: endings are taken off, accents too, and five letters are kept. Words that a stemmer would
    take for one are taken for one here, and some others besides, so that sharing is counted high rather than low.
    """
    stems = set()
    for word in _WORD.findall(text.lower()):
        bare = _ELISION.sub("", word) if language == "fr" else word.replace("’", "'")
        if bare not in STOP_WORDS[language]:
            stems.add(_stem(bare.removesuffix("'s"), language))
    return stems


def shared_words(question: Question, passage: Passage, language: str) -> set[str]:
    return content_words(question.text, language) & content_words(f"{passage.title} {passage.text}", language)


def _stem(word: str, language: str) -> str:
    folded = "".join(
        letter for letter in unicodedata.normalize("NFD", word.replace("œ", "oe")) if not unicodedata.combining(letter)
    )
    for ending in _ENDINGS[language]:
        if folded.endswith(ending) and len(folded) - len(ending) >= _SHORTEST_STEM:
            folded = folded.removesuffix(ending)
            break
    return folded[:_TRUNCATED_AT]
