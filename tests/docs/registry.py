"""Which test runs which blocks of the pages that have a test of their own.

All other blocks are run by `tests.docs.test_pages`.
"""

from __future__ import annotations

from tests.docs.blocks import OUTPUTS, Block, Use


def kind_of(block: Block) -> str:
    """What `OWN_TESTS` calls a block: its language, or ``body``, or ``json, alone`` where no command prints it."""
    if block.use is Use.BODY:
        return "body"
    return f"{block.language}, alone" if block.use is Use.UNKNOWN and block.language in OUTPUTS else block.language


_JOB_FILE = "tests/ingest/sources/test_sources_page.py::test_the_job_file_makes_the_document_that_the_page_shows"
_SHELL_PAGES = "tests/test_command_line_page.py::test_examples_print_what_stands_below_them"
_FIRST_TEN_MINUTES = "tests/docs/test_first_ten_minutes.py::test_blocks_do_what_they_say_one_after_the_other"

OWN_TESTS: dict[str, dict[str, str]] = {
    "README.md": {
        "sh": "tests/test_readme.py::test_example_answers_what_is_printed",
        "json": "tests/test_readme.py::test_example_answers_what_is_printed",
        "text, alone": "tests/test_readme.py::test_commands_of_the_sidecar_are_there",
    },
    "docs/command-line.md": dict.fromkeys(("err", "sh", "text"), _SHELL_PAGES),
    "docs/doctor.md": dict.fromkeys(("err", "sh", "text"), _SHELL_PAGES),
    "docs/export-and-verify.md": {
        "sh": "tests/ingest/test_export_and_verify_page.py::test_every_command_of_the_page_works",
    },
    "docs/ingest-sources.md": {
        "json, alone": _JOB_FILE,
        "text, alone": _JOB_FILE,
        "yaml": _JOB_FILE,
    },
    "docs/ingest.md": {
        "sh": "tests/test_ingest_page.py::test_examples_print_what_stands_below_them",
        "text": "tests/test_ingest_page.py::test_examples_print_what_stands_below_them",
    },
    "docs/migrating-from-marqo.md": {
        "python": "tests/test_migration_page.py::test_documents_are_moved_and_embedded_again",
        "sh": "tests/test_migration_page.py::test_every_command_of_the_page_is_run",
    },
    "docs/models.md": {
        "python": "tests/test_model_page.py::test_example_makes_its_index",
    },
    "docs/native-declaring.md": {
        "json": "tests/native/declaring/test_page.py::test_requests_have_the_answers_of_the_page",
        "sh": "tests/native/declaring/test_page.py::test_requests_have_the_answers_of_the_page",
    },
    "docs/native-forwarding.md": {
        "json": "tests/native/test_forwarding_page.py::test_examples_answer_what_is_printed",
        "sh": "tests/native/test_forwarding_page.py::test_examples_answer_what_is_printed",
    },
    "docs/native-hybrid.md": {
        "http": "tests/native/test_hybrid_page.py::test_requests_give_the_answers_that_are_shown",
        "json": "tests/native/test_hybrid_page.py::test_requests_give_the_answers_that_are_shown",
    },
    "docs/native-neural-search.md": {
        "http": "tests/native/test_neural_search_page.py::test_examples_do_what_the_page_says",
    },
    "docs/native-searching.md": {
        "http": "tests/native/queries/test_searching_page.py::test_examples_of_the_page_find_documents",
    },
    "docs/native-security-and-dashboards.md": {
        "json, alone": "tests/native/security/users.py::role_of_page",
    },
    "docs/native-writing.md": {
        "http": "tests/native/writes/test_page.py::test_examples_do_what_the_page_says",
    },
    "docs/operations.md": {
        "json": "tests/test_operations_page.py::test_commands_do_what_the_page_says",
        "json, alone": "tests/test_operations_page.py::test_log_lines_look_as_the_page_shows_them",
        "sh": "tests/test_operations_page.py::test_commands_do_what_the_page_says",
        "text, alone": "tests/test_operations_page.py::test_promql_of_the_page_can_be_read",
        "yaml": "tests/test_operations_page.py::test_prometheus_configuration_names_the_job_of_the_alerts",
    },
    "docs/plug-ins.md": {
        "json, alone": "tests/embedding/test_plugins.py",
        "python": "tests/embedding/test_plugins.py",
        "toml": "tests/embedding/test_plugins.py",
    },
    "docs/reading-a-report.md": {
        "python": "tests/evaluation/report/test_reading_page.py::test_program_reads_the_file",
        "text, alone": "tests/evaluation/report/test_reading_page.py::test_table_and_advice_are_those_that_are_printed",
    },
    "docs/search.md": {
        "body": "tests/test_readme.py::test_body_is_taken",
        "json": "tests/test_readme.py::test_example_answers_what_is_printed",
        "sh": "tests/test_readme.py::test_example_answers_what_is_printed",
    },
    "docs/tutorial.md": dict.fromkeys(("csv", "json", "jsonl", "sh", "text"), _FIRST_TEN_MINUTES),
}
"""Page -> kind of its blocks, as `kind_of` names it -> the test."""
