"""How Sphinx makes a site of these pages: ``sphinx-build -W docs build/docs``."""

from pygments.lexers.special import TextLexer
from sphinx.highlighting import lexers

lexers["csv"] = TextLexer()  # Pygments has none

project = "autoprune"
html_title = "autoprune"
html_theme = "furo"
extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["*.py"]
html_show_copyright = False


def setup(app):
    """Tables in CSV are shown as they are: Pygments has no lexer for them."""
    from pygments.lexers.special import TextLexer

    app.add_lexer("csv", TextLexer)
