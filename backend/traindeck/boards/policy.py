"""The Content-Security-Policy of TensorBoard's answers: looser than the deck's own, on them alone."""

_SELF = "'self'"

PAGE_DIRECTIVES = {
    "default-src": _SELF,
    "font-src": f"{_SELF} data:",
    "frame-src": _SELF,
    "img-src": f"{_SELF} data: blob:",
    "object-src": "'none'",
    # Polymer's templates and D3 set styles inline; the projector's numeric library calls eval.
    "style-src": f"{_SELF} data: 'unsafe-inline'",
    "connect-src": _SELF,
    "script-src": f"{_SELF} 'unsafe-eval'",
    "worker-src": f"{_SELF} blob:",
    "base-uri": _SELF,
    "form-action": _SELF,
    "frame-ancestors": _SELF,
}


def _joined(directives: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in directives.items())


PAGE_POLICY = _joined(PAGE_DIRECTIVES)


def board_policy(upstream: str | None) -> str:
    """Our policy, with the hashes of scripts that TensorBoard's own policy of that answer names."""
    scripts = [token for token in (upstream or "").replace(";", " ").split() if token.startswith("'sha256-")]
    if not scripts:
        return PAGE_POLICY
    return _joined(PAGE_DIRECTIVES | {"script-src": " ".join([PAGE_DIRECTIVES["script-src"], *scripts])})
