"""Tables as plain data, and the same table for a terminal, in Markdown and in LaTeX. Knows no other package."""
