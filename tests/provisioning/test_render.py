from dataclasses import dataclass

import pytest

from offhook.errors import RenderError
from offhook.provisioning.render import Renderer
from offhook.secret import Secret


def render(source: str, format_name: str = "xml", **values: object) -> str:
    shared = "{% macro tag(text) %}<b>{{ text }}</b>{% endmacro %}"
    return Renderer({"t.j2": source, "_shared/m.j2": shared}).render("t.j2", format_name, values).decode()


def test_values_are_escaped_by_the_format() -> None:
    assert render("<a>{{ x }}</a>", x="<&>\"'") == "<a>&lt;&amp;&gt;&quot;&#39;</a>"
    assert render("k = {{ x }}", "cfg", x="<&>\"'") == "k = <&>\"'"


def test_literals_are_escaped_by_the_format_too() -> None:
    assert render('{{ "<&" }}', "cfg") == "<&"
    assert render('{{ "<&" }}') == "&lt;&amp;"


def test_macros_compose_without_escaping_twice() -> None:
    source = '{% from "_shared/m.j2" import tag %}{{ tag(tag("<")) }}'
    assert render(source) == "<b><b>&lt;</b></b>"


def test_data_is_never_a_template() -> None:
    assert render("{{ x }}", "cfg", x="{{7*7}}{% raw %}") == "{{7*7}}{% raw %}"


def test_secret_is_revealed_only_where_it_is_printed() -> None:
    password = Secret("Sesame<")
    assert render("{{ p }}", p=password) == "Sesame&lt;"
    assert render('{{ "x" ~ p }}', p=password) == "x***"


@dataclass
class Phone:
    name: str
    password: Secret


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("a\n{{ absent }}", 2, "'absent' is undefined"),
        ("a\n\n{{ phone.nothing }}", 3, "has no attribute 'nothing'"),
        ("{{ none }}", 1, "neither text nor a whole number"),
        ("{{ true }}", 1, "neither text nor a whole number"),
        ("{{ 1.5 }}", 1, "neither text nor a whole number"),
        ("{{ phone }}", 1, "neither text nor a whole number"),
        ("\n{{ 1 // 0 }}", 2, "ZeroDivisionError"),
        ("{{ phone.name.__class__.__mro__ }}", 1, "unsafe"),
        ('{% include "other.j2" %}', 1, "no template 'other.j2'"),
        ("{% if %}", 1, "is no template"),
    ],
)
def test_error_names_template_and_line_and_no_value(source: str, line: int, message: str) -> None:
    with pytest.raises(RenderError) as caught:
        render(source, phone=Phone("Jane", Secret("Sesame")))
    assert (caught.value.template, caught.value.line) == ("t.j2", line)
    assert message in str(caught.value)
    assert caught.value.__context__ is None
    assert "Jane" not in str(caught.value)
    assert "Sesame" not in str(caught.value)


def test_error_in_a_macro_names_the_macro() -> None:
    with pytest.raises(RenderError) as caught:
        render('\n{% from "_shared/m.j2" import tag %}{{ tag("\x00") }}')
    assert (caught.value.template, caught.value.line) == ("_shared/m.j2", 1)


def test_line_end_in_a_cfg_value_is_an_error() -> None:
    with pytest.raises(RenderError, match=r"t\.j2:2: a value holds a line end"):
        render("a = 1\nb = {{ x }}", "cfg", x="1\nadmin = 1")


def test_output_is_bounded() -> None:
    renderer = Renderer({"t.j2": "{% for _ in range(1000) %}0123456789{% endfor %}"}, max_output_bytes=5000)
    with pytest.raises(RenderError, match="more than 5000 bytes"):
        renderer.render("t.j2", "plain", {})


def test_unbounded_loops_are_refused() -> None:
    with pytest.raises(RenderError, match="OverflowError"):
        render("{% for _ in range(10000000) %}x{% endfor %}")


@pytest.mark.parametrize("name", ["lipsum", "cycler", "dict"])
def test_templates_have_no_other_globals(name: str) -> None:
    with pytest.raises(RenderError, match="undefined"):
        render(f"{{{{ {name}() }}}}")
