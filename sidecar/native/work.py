"""What the handlers of the native face are for, as metrics and traces tell it."""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.native.parts import Handler
from sidecar.native.queries.multi_search import multi_search
from sidecar.native.queries.search import asynchronous_search, search
from sidecar.native.queries.templates import multi_search_template, search_template
from sidecar.native.writes.bulk import bulk
from sidecar.native.writes.single import delete_document, update_document, write_document
from sidecar.observation.kinds import Work

WORK: Mapping[Handler, Work] = {
    **dict.fromkeys((search, multi_search, search_template, multi_search_template, asynchronous_search), Work.SEARCH),
    **dict.fromkeys((bulk, write_document, update_document, delete_document), Work.DOCUMENTS),
}
"""All others are for something else."""
