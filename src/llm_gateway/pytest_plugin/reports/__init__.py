"""The files of ``--llm-report``: one document, written as a page, as JSON and as Markdown. Internal."""
