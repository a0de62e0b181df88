"""Processors of search pipelines as clients write them, read and checked as the neural-search plugin does that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sidecar.native.declarations.processor_settings import ProcessorSettings
from sidecar.native.declarations.processors import Bound, Combination, SearchPipeline
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused

ENRICHER: Final = "neural_query_enricher"
NORMALIZATION: Final = "normalization-processor"
RANKER: Final = "score-ranker-processor"
SEARCH_KINDS: Final = {"request_processors": (ENRICHER,), "phase_results_processors": (NORMALIZATION, RANKER)}
"""By the list of a search pipeline that they stand in."""
RRF: Final = "rrf"
_NORMALIZATIONS = ("min_max", "l2", "z_score")
_TECHNIQUES = ("arithmetic_mean", "geometric_mean", "harmonic_mean")
_RANK_CONSTANTS = (1, 10_000)
_WEIGHT_TOLERANCE = 0.01
_BOUNDS = {"lower_bounds": ("min_score", 0.0), "upper_bounds": ("max_score", 1.0)}
"""The key of a bound's score, and what it is where it isn't said."""
_BOUND_MODES = ("apply", "clip", "ignore")
_FURTHEST_BOUND = 10_000.0
_MOST_QUERIES = 5


def read_search_pipeline(processors: Iterable[tuple[str, Mapping[str, Any]]]) -> SearchPipeline:
    """What processors of a search pipeline, each with its settings, have the sidecar do together.

    Of several with the same task the first counts: the others find it done. Raises: Refused, as the plugin does.
    """
    default_model: str | None = None
    model_of_field: dict[str, str] = {}
    combination: Combination | None = None
    for kind, settings in processors:
        if kind == ENRICHER:
            model, by_field = read_enricher(settings)
            # A field that an earlier processor has a default for gets that one.
            if default_model is None:
                model_of_field = {**by_field, **model_of_field}
                default_model = model
        else:
            read = read_combination(kind, settings)
            combination = combination or read
    return SearchPipeline(default_model, model_of_field or None, combination or Combination())


def read_enricher(settings: Mapping[str, Any]) -> tuple[str | None, Mapping[str, str]]:
    """The model for queries that name none, and those for single fields. Raises: Refused."""
    given = ProcessorSettings(ENRICHER, settings)
    default = given.optional_text("default_model_id")
    by_field = given.optional_mapping("neural_field_default_id")
    given.boolean("ignore_failure")
    given.finish()
    if default is None and by_field is None:
        raise Refused(ILLEGAL_ARGUMENT, "model Id or neural info map either of them should be provided")
    models = {field: model for field, model in (by_field or {}).items() if model is not None}
    for field, model in models.items():
        if not isinstance(model, str):
            raise Refused(ILLEGAL_ARGUMENT, f"[neural_field_default_id] of [{field}] isn't a string")
    return default, models


def read_combination(kind: str, settings: Mapping[str, Any]) -> Combination:
    """How a `NORMALIZATION` or `RANKER` has hybrid queries combined. Raises: Refused, as the plugin does, and for what
    the sidecar hasn't: the scores of sub-queries in hits."""
    given = ProcessorSettings(kind, settings)
    normalization = given.optional_mapping("normalization") if kind == NORMALIZATION else None
    combination = given.optional_mapping("combination") or {}
    if given.boolean("sub_query_scores"):
        raise Refused(ILLEGAL_ARGUMENT, f"[{kind}] can't have [sub_query_scores]: the sidecar's hits have none")
    given.boolean("ignore_failure")
    given.finish()
    return _rank_fusion(combination) if kind == RANKER else _score_combination(normalization or {}, combination)


def _score_combination(normalization: Mapping[str, Any], combination: Mapping[str, Any]) -> Combination:
    given = ProcessorSettings(NORMALIZATION, normalization)
    name = given.optional_text("technique") or "min_max"
    if name not in _NORMALIZATIONS:
        raise Refused(ILLEGAL_ARGUMENT, "provided normalization technique is not supported")
    bounds = _bounds(name, given.optional_mapping("parameters"))
    given = ProcessorSettings(NORMALIZATION, combination)
    technique = given.optional_text("technique") or "arithmetic_mean"
    if technique not in _TECHNIQUES:
        raise Refused(ILLEGAL_ARGUMENT, "provided combination technique is not supported")
    if name == "z_score" and technique != "arithmetic_mean":
        raise Refused(ILLEGAL_ARGUMENT, "Z Score supports only arithmetic_mean combination technique")
    return Combination(
        name,
        technique,
        _weights(given.optional_mapping("parameters")),
        lower_bounds=bounds.get("lower_bounds"),
        upper_bounds=bounds.get("upper_bounds"),
    )


def _rank_fusion(combination: Mapping[str, Any]) -> Combination:
    given = ProcessorSettings(RANKER, combination)
    if (given.optional_text("technique") or RRF) != RRF:
        raise Refused(ILLEGAL_ARGUMENT, "provided combination technique is not supported")
    constant = combination.get("rank_constant", 60)
    try:
        constant = int(str(constant))
    except ValueError as error:
        raise Refused(ILLEGAL_ARGUMENT, "parameter [rank_constant] must be an integer") from error
    least, most = _RANK_CONSTANTS
    if not least <= constant <= most:
        problem = f"rank constant must be in the interval between {least} and {most}"
        raise Refused(ILLEGAL_ARGUMENT, f"{problem}, submitted rank constant: {constant}")
    return Combination(RRF, RRF, _weights(given.optional_mapping("parameters")), constant)


def _bounds(technique: str, parameters: Mapping[str, Any] | None) -> Mapping[str, tuple[Bound, ...]]:
    """``lower_bounds`` and ``upper_bounds`` of `Combination`."""
    known = _BOUNDS if technique == "min_max" else {}
    if parameters and parameters.keys() - known.keys():
        raise Refused(ILLEGAL_ARGUMENT, "unrecognized parameters in normalization technique")
    return {name: _read_bounds(name, (parameters or {})[name]) for name in known if parameters and name in parameters}


def _read_bounds(name: str, given: Any) -> tuple[Bound, ...]:
    if not isinstance(given, list):
        raise Refused(ILLEGAL_ARGUMENT, f"{name} must be a List")
    if len(given) > _MOST_QUERIES:
        problem = f"{name} size {len(given)} should be less than or equal to {_MOST_QUERIES}"
        raise Refused(ILLEGAL_ARGUMENT, problem)
    return tuple(_read_bound(name, one) for one in given)


def _read_bound(name: str, given: Any) -> Bound:
    score_name, default = _BOUNDS[name]
    if not isinstance(given, dict):
        raise Refused(ILLEGAL_ARGUMENT, f"each {name.replace('_', ' ').removesuffix('s')} must be a map")
    if given.keys() - {"mode", score_name}:
        raise Refused(ILLEGAL_ARGUMENT, "unrecognized parameters in normalization technique")
    mode = str(given.get("mode") or _BOUND_MODES[0]).lower()
    if mode not in _BOUND_MODES:
        raise Refused(ILLEGAL_ARGUMENT, f"invalid mode: {mode}, valid values are: {', '.join(_BOUND_MODES)}")
    try:
        score = float(str(given.get(score_name, default)))
    except ValueError as error:
        raise Refused(ILLEGAL_ARGUMENT, f"invalid format for {score_name}: must be a valid float value") from error
    if not abs(score) <= _FURTHEST_BOUND:
        problem = f"must be a valid finite number between {-_FURTHEST_BOUND} and {_FURTHEST_BOUND}"
        raise Refused(ILLEGAL_ARGUMENT, f"{score_name} {problem}")
    return Bound(score, mode)


def _weights(parameters: Mapping[str, Any] | None) -> tuple[float, ...] | None:
    if not parameters:
        return None
    if parameters.keys() - {"weights"}:
        problem = "provided parameter for combination technique is not supported."
        raise Refused(ILLEGAL_ARGUMENT, f"{problem} supported parameters are [weights]")
    given = parameters["weights"]
    if not isinstance(given, list) or not all(type(one) in {int, float} for one in given):
        raise Refused(ILLEGAL_ARGUMENT, "parameter [weights] must be a collection of numbers")
    weights = tuple(float(one) for one in given)
    shown = ", ".join(str(one) for one in weights)
    if not all(0.0 <= one <= 1.0 for one in weights):
        raise Refused(ILLEGAL_ARGUMENT, f"all weights must be in range [0.0 ... 1.0], submitted weights: [{shown}]")
    if abs(sum(weights) - 1.0) > _WEIGHT_TOLERANCE:
        problem = "sum of weights for combination must be equal to 1.0"
        raise Refused(ILLEGAL_ARGUMENT, f"{problem}, submitted weights: [{shown}]")
    return weights
