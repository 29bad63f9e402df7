"""From a template and values to the bytes of a file.

Templates are code of the operator, values are not: a value is never compiled, and each one printed passes the
escaper of the file's format (:mod:`offhook.provisioning.formats`). What a macro has printed is marked as done, so
macros compose. The sandbox is a second wall for templates from elsewhere.
"""

import traceback
from collections.abc import Mapping
from typing import Final

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from offhook.errors import RenderError
from offhook.provisioning.formats import FORMATS, Format, UnwritableValue
from offhook.secret import Secret

MAX_OUTPUT_BYTES: Final = 1024 * 1024
_NOT_PRINTED: Final = "a value that is neither text nor a whole number is printed"


class _CodeGenerator(CodeGenerator):
    """Leaves literals to run time: folded when compiled, they would be escaped as HTML before our escaper sees them."""

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> str:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)


class _Environment(ImmutableSandboxedEnvironment):
    code_generator_class = _CodeGenerator


class Renderer:
    """Renders the templates of one catalog."""

    def __init__(self, sources: Mapping[str, str], *, max_output_bytes: int = MAX_OUTPUT_BYTES) -> None:
        self._sources = sources
        self._max_output_bytes = max_output_bytes
        self._environments = {name: self._environment(form) for name, form in FORMATS.items()}

    def prepare(self, template: str, format_name: str) -> None:
        """Compiles a template and the shared ones now: it takes some 30 ms, which no phone's request shall wait for."""
        for name in (template, *(name for name in self._sources if name.startswith("_shared/"))):
            self._environments[format_name].get_template(name)

    def render(self, template: str, format_name: str, values: Mapping[str, object]) -> bytes:
        """The file, in UTF-8. Raises RenderError, which names template and line and never a value."""
        environment = self._environments[format_name]
        try:
            return self._encode(template, environment.get_template(template), values)
        except RenderError:
            raise
        except Exception as error:
            place, line = self._find_place(template, error)
            message = _explain(error)
        raise RenderError(message, template=place, line=line)

    def _encode(self, name: str, template: jinja2.Template, values: Mapping[str, object]) -> bytes:
        chunks = []
        size = 0
        for chunk in template.generate(values):
            encoded = chunk.encode()
            size += len(encoded)
            if size > self._max_output_bytes:
                raise RenderError(f"gives more than {self._max_output_bytes} bytes", template=name)
            chunks.append(encoded)
        return b"".join(chunks)

    def _environment(self, form: Format) -> ImmutableSandboxedEnvironment:
        def finalize(value: object) -> Markup:
            if isinstance(value, Markup):
                return value
            if isinstance(value, Secret):
                value = value.reveal()
            if isinstance(value, str):
                return Markup(form.escape(value))  # noqa: S704 # the format's escaper has just made it safe
            if isinstance(value, int) and not isinstance(value, bool):
                return Markup(value)  # noqa: S704 # digits
            if isinstance(value, jinja2.Undefined):
                str(value)  # StrictUndefined raises, and says which name it was
            raise UnwritableValue(_NOT_PRINTED)

        environment = _Environment(
            loader=jinja2.FunctionLoader(self._load),
            undefined=jinja2.StrictUndefined,
            autoescape=True,
            finalize=finalize,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
            cache_size=-1,
        )
        environment.globals = {name: environment.globals[name] for name in ("range", "namespace")}
        return environment

    def _load(self, name: str) -> tuple[str, str, None] | None:
        source = self._sources.get(name)
        return None if source is None else (source, name, None)

    def _find_place(self, template: str, error: Exception) -> tuple[str, int]:
        """The innermost line of a template that an exception went through."""
        if isinstance(error, jinja2.TemplateSyntaxError):
            return error.name or template, error.lineno
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if frame.filename in self._sources:
                return frame.filename, frame.lineno or 0
        return template, 0


def _explain(error: Exception) -> str:
    """What went wrong, from messages that are known to hold names only."""
    if isinstance(error, UnwritableValue):
        return str(error)
    if isinstance(error, jinja2.UndefinedError):
        return f"uses what is not there: {error.message}"
    if isinstance(error, SecurityError):
        return f"is not allowed: {error.message}"
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"is no template: {error.message}"
    if isinstance(error, jinja2.TemplateNotFound):
        return f"there is no template {error.name!r}"
    return f"failed with {type(error).__name__}"
