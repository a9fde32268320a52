"""The question set is what it claims to be: large enough, well formed, and half of it hard."""

import pytest

from . import question_set


@pytest.fixture(params=question_set.LANGUAGES)
def questions(request: pytest.FixtureRequest) -> question_set.QuestionSet:
    return question_set.load(request.param)


def test_at_least_300_passages_and_100_questions(questions: question_set.QuestionSet) -> None:
    assert len(questions.passages) >= 300
    assert len(questions.questions) >= 100


def test_passages_have_a_title_and_30_to_120_words(questions: question_set.QuestionSet) -> None:
    lengths = {passage.id: len(passage.text.split()) for passage in questions.passages.values()}
    assert {identifier: words for identifier, words in lengths.items() if not 30 <= words <= 120} == {}
    assert [passage.id for passage in questions.passages.values() if not passage.title.strip()] == []


def test_no_passage_and_no_question_comes_twice(questions: question_set.QuestionSet) -> None:
    texts = [passage.text for passage in questions.passages.values()]
    assert len(set(texts)) == len(texts)
    asked = [question.text for question in questions.questions]
    assert len(set(asked)) == len(asked)
    answering = [question.passage_id for question in questions.questions]
    assert set(answering) <= set(questions.passages)


def test_half_of_the_questions_share_at_most_one_content_word_with_their_passage(
    questions: question_set.QuestionSet,
) -> None:
    sharing = [
        question_set.shared_words(question, questions.passages[question.passage_id], questions.language)
        for question in questions.questions
    ]
    assert sum(len(shared) <= 1 for shared in sharing) * 2 >= len(sharing)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "refunded", "refund"),
        ("en", "the bookings", "booking"),
        ("fr", "réservées", "réserver"),
        ("fr", "l'abonnement", "abonnements"),
        ("fr", "œil", "oeil"),
    ],
)
def test_forms_of_one_word_count_as_shared(language: str, one: str, other: str) -> None:
    assert question_set.content_words(one, language) == question_set.content_words(other, language) != set()
