"""Single-point changes of tasks: their events, conditions and what counts as done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from crmsync.model.period import Period
from crmsync.model.task import (
    BecomesTrue,
    DoneWithin,
    Event,
    EveryPeriod,
    OnDay,
    TaskRule,
    TierFalls,
    TierRises,
)
from crmsync.rules.mutant_sentences import WITHOUT, Change, Sentences, maybe


def longer(period: Period) -> Period:
    """The period with one more of its unit."""
    return Period(
        period.months + 1 if period.months else 0, 0 if period.months else period.days + 1
    )


def length(period: Period) -> str:
    """The period as a rule writes it."""
    return f"{period.months} months" if period.months else f"{period.days} days"


def task_changes(task: TaskRule, sentences: Sentences) -> Iterator[tuple[TaskRule | None, Change]]:
    """Each change as the whole task anew (``None``: left out) and the spot that differs."""
    yield None, Change(task.id, WITHOUT, task.span)
    if task.when is not None:
        for condition, change in maybe(task.when, sentences):
            yield replace(task, when=condition), change
    if task.close_when is not None:
        for closing, change in sentences.of(task.close_when):
            yield replace(task, close_when=closing), change
        text = f"close_when: {sentences.text(task.close_when)}"
        yield replace(task, close_when=None), Change(text, WITHOUT, task.close_when.span)
    for event, change in _events(task, sentences):
        yield replace(task, event=event), change
    yield from _done(task, sentences)
    if task.start is not None:
        later = task.start + timedelta(days=1)
        yield replace(task, start=later), Change(f"{task.start}", f"{later}", task.span)
    if task.result is not None and task.result.required and task.close_when is not None:
        change = Change("required: true", "required: false", task.span)
        yield replace(task, result=replace(task.result, required=False)), change


def _done(task: TaskRule, sentences: Sentences) -> Iterator[tuple[TaskRule, Change]]:
    done = task.counts_as_done
    if done is None:
        return
    if isinstance(done, DoneWithin):
        words = f"counts_as_done: {done.fact} within period"
    else:
        words = f"counts_as_done: {sentences.text(done)}"
        for condition, change in sentences.of(done):
            yield replace(task, counts_as_done=condition), change
    yield replace(task, counts_as_done=None), Change(words, WITHOUT, task.span)


def _events(task: TaskRule, sentences: Sentences) -> Iterator[tuple[Event, Change]]:
    event = task.event
    match event:
        case EveryPeriod(period=Period() as period):
            other = longer(period)
            change = Change(f"every {length(period)}", f"every {length(other)}", task.span)
            yield replace(event, period=other), change
        case TierRises() | TierFalls():
            turned = TierFalls(event.to) if isinstance(event, TierRises) else TierRises(event.to)
            words = ("rises", "falls") if isinstance(event, TierRises) else ("falls", "rises")
            yield turned, Change(*words, task.span)
            if event.to is not None:
                change = Change(f"{words[0]} to {event.to}", words[0], task.span)
                yield type(event)(), change
        case OnDay(shift=shift, before=before):
            other = longer(shift)
            side = "before" if before else "after"
            change = Change(f"{length(shift)} {side}", f"{length(other)} {side}", task.span)
            yield replace(event, shift=other), change
            if shift != Period():
                turn = "after" if before else "before"
                change = Change(f"{length(shift)} {side}", f"{length(shift)} {turn}", task.span)
                yield replace(event, before=not before), change
        case BecomesTrue(condition=condition):
            for changed, change in sentences.of(condition):
                yield BecomesTrue(changed), change
        case _:
            return
