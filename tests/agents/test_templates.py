"""Templates: what they render, how they fail, and that none can hang a call."""

from __future__ import annotations

import time

import pytest

from parlons.agents import templates
from parlons.agents.context import CallContext
from parlons.agents.templates import check, render
from parlons.errors import TemplateError


@pytest.fixture
def context() -> CallContext:
    made = CallContext(
        system={"now": "2026-11-20T10:05:00+01:00", "language": "fr-FR"}, sip={"headers": {"x-vip": "1"}}
    )
    made.merge({"name": "Zoé", "order": {"id": 7}, "xs": list(range(1900)), "big": "a" * 90_000, "n": 10**9})
    return made


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("no template } here", "no template } here"),
        ("{{ name | upcase }} {{ order.id }}", "ZOÉ 7"),
        ("{% if order.id == 7 %}yes{% else %}no{% endif %}", "yes"),
        ("{{ sip.headers['x-vip'] }}{{ sip.user_to_user }}", "1"),
        ("{{ 'now' | date: '%H:%M' }}", "10:05"),
        ("{% raw %}{{ x {% endraw %}ok", "{{ x ok"),
        ("{% comment %}{% if %}{% endcomment %}ok", "ok"),
        ("{% liquid\nassign a = 1\nif a == 1\necho a\nendif %}", "1"),
        ("{% for i in (1..3) %}{{ i }}{% endfor %}", "123"),
        ("{% case name %}{% when 'Zoé' %}z{% endcase %}{% unless nope %}u{% endunless %}", "zu"),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_renders(context: CallContext, template: str, expected: str, strict: bool) -> None:
    rendered = render(template, context, strict=strict)
    assert (rendered.text, rendered.undefined) == (expected, ())


def test_lenient_renders_undefined_empty_and_names_each_once(context: CallContext) -> None:
    rendered = render("[{{ a }}{{ order.x.y }}{{ a | upcase }}{{ b | default: 'd' }}]{% if c %}{% endif %}", context)
    assert rendered.text == "[d]"
    assert rendered.undefined == ("a", "order.x")


@pytest.mark.parametrize("template", ["{{ a }}", "{{ a | upcase }}", "{% for x in a %}{% endfor %}", "{{ order.x }}"])
def test_strict_refuses_to_show_an_undefined_variable(context: CallContext, template: str) -> None:
    with pytest.raises(TemplateError, match=r"line 1: the variable (a|order\.x) is not defined") as caught:
        render(template, context, strict=True)
    assert "default" in caught.value.hint


@pytest.mark.parametrize(
    "template",
    ["{{ a | default: '' }}", "{% if a %}{% endif %}", "{% if a == 'x' or a contains 'x' or a > 3 %}{% endif %}"],
)
def test_strict_lets_an_undefined_variable_be_tested(context: CallContext, template: str) -> None:
    assert render(template, context, strict=True).text == ""


def test_the_servers_own_clock_is_not_a_variable(context: CallContext) -> None:
    assert render("{{ now }}{{ today }}", context).undefined == ("now", "today")


@pytest.mark.parametrize(
    ("template", "line", "about"),
    [
        ("{{ name", 1, "never closed"),
        ("a\n{% if a %}\n", 2, "{% if %} is never closed"),
        ("{% if a %}\n{% for b in c %}\n{% endif %}", 2, "{% for %} is never closed"),
        ("\n\n{% endif %}", 3, "closes nothing"),
        ("a\n{{ a | nope }}", 2, "unknown filter 'nope'"),
        ("{% include 'x' %}", 1, "include"),
        ("{% render 'x' %}", 1, "render"),
        ("{% for a b %}{% endfor %}", 1, "expected in"),
        ("{% raw %} {{ a }}", 1, "{% raw %} is never closed"),
    ],
)
def test_check_says_where_and_what(template: str, line: int, about: str) -> None:
    with pytest.raises(TemplateError) as caught:
        check(template)
    assert f"line {line}: " in caught.value.message
    assert about in str(caught.value)
    assert caught.value.hint


HOSTILE = {
    "huge range": "{% for i in (1..n) %}{% endfor %}",
    "huge range reversed": "{% for i in (1..n) reversed %}{% endfor %}",
    "huge range joined": "{{ (1..n) | join }}",
    "range membership": "{% if (1..n) contains 'x' %}{% endif %}",
    "nested loops": "{% for a in xs %}{% for b in xs %}x{% endfor %}{% endfor %}",
    "doubling text": "{% assign a = 'aaaaaaaaaa' %}" + "{% assign a = a | append: a %}" * 40,
    "doubling capture": "{% capture a %}aaaaaaaaaa{% endcapture %}" + "{% capture a %}{{a}}{{a}}{% endcapture %}" * 40,
    "doubling list": "{% assign a = xs %}" + "{% assign a = a | concat: a %}" * 40,
    "squared number": "{% assign x = 99 %}" + "{% assign x = x | times: x %}" * 60,
    "replace blows up": "{{ big | replace: 'a', big }}",
    "join blows up": "{{ xs | join: big }}",
    "wide date": ("{{ 'now' | date: '" + "%A" * 980 + "' }}") * 24,
    "output": "{{ big }}{{ big }}",
    "work without output": "{% for a in xs %}" + "{% if true %}{% endif %}" * 1800 + "{% endfor %}",
    "many variables": "{% for a in xs %}" + "{% if a.b == a %}{% endif %}" * 1500 + "{% endfor %}",
    "cycles": "{% for a in xs %}" + "{% cycle 'a','b' %}" * 2000 + "{% endfor %}",
    "chained filters": ("{{ big " + "| upcase | downcase " * 90 + " | size }}") * 24,
    "many locals": "".join(f"{{% capture v{i} %}}{{{{ big }}}}{{% endcapture %}}" for i in range(1000)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_template_goes_over_its_limits(context: CallContext, name: str) -> None:
    started = time.thread_time()
    with pytest.raises(TemplateError, match="does too much"):
        render(HOSTILE[name], context)
    assert time.thread_time() - started < 1.0


UNPARSABLE = {
    "unclosed braces": "{{" * 24_000,
    "unclosed tags": "{%" * 24_000,
    "spaces": "{{ " + " " * 49_000 + " }}",
    "spaces in a tag": "{% if" + " " * 49_000 + "%}{% endif %}",
    "brackets": "{{ a" + "[a" * 8000 + "]" * 8000 + "}}",
    "deep brackets": "{{ a" + "[a" * 990 + " }}",
    "parentheses": ("{{ " + "(" * 1990 + " }}") * 25,
    "comments": "{% comment %}" * 3800,
    "raw": "{% raw %}" * 5000,
    "nested blocks": "{% if a %}" * 2000 + "{% endif %}" * 2000,
    "too long": "a" * 50_001,
}


@pytest.mark.parametrize("name", UNPARSABLE)
def test_no_text_takes_long_to_refuse(name: str) -> None:
    started = time.thread_time()
    with pytest.raises(TemplateError):
        check(UNPARSABLE[name])
    assert time.thread_time() - started < 1.0


def test_looping_over_a_text_is_one_turn(context: CallContext) -> None:
    assert render("{% for c in big %}x{% endfor %}", context).text == "x"


def test_a_failing_filter_is_a_template_error_without_the_value(context: CallContext) -> None:
    context.merge({"secret": "s3cret-value"})
    with pytest.raises(TemplateError) as caught:
        render("{{ secret | map: 'a' | sum }}{{ 1 | divided_by: 0 }}{{ secret }}", context)
    assert "s3cret" not in str(caught.value)


def test_parsed_templates_are_cached_and_bounded(context: CallContext) -> None:
    for index in range(templates.CACHED_TEMPLATES + 20):
        render(f"{index}{{{{ name }}}}", context)
    assert templates._parsed.cache_info().currsize == templates.CACHED_TEMPLATES
