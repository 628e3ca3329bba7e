"""The catalogue of HTTP faults, row by row: what goes wrong, and the tests that show what follows.

Numbers and order are those of the design's own catalogue; the words are short.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TORN = "tests/http_catalogue/test_torn_replies.py"
REFUSED = "tests/http_catalogue/test_refusals.py"
VALUES = "tests/http_catalogue/test_values.py"
SEEN = "tests/http_catalogue/test_what_the_user_sees.py"
MERGES = "tests/end_to_end/test_merges.py"
SESSION = "tests/unit/connector/test_http_faults.py"


@dataclass(frozen=True)
class Row:
    """One fault; ``tests`` are ``file::function``."""

    fault: str
    tests: tuple[str, ...]


def row(fault: str, *tests: tuple[str, str]) -> Row:
    return Row(fault, tuple(f"{file}::{name}" for file, name in tests))


LOST = (
    (TORN, "test_a_lost_reply_to_a_read_is_asked_for_again"),
    (TORN, "test_a_lost_reply_to_a_write_is_in_doubt_and_never_repeated"),
)
UNREADABLE = (TORN, "test_a_reply_nobody_can_read")
SLOW = (TORN, "test_a_slow_server_is_given_up_at_the_deadline")

ROWS: Mapping[int, Row] = {
    1: row(
        "429 with Retry-After",
        (REFUSED, "test_a_named_pause_is_waited_for_by_everybody"),
        (SEEN, "test_a_pause_is_told_with_how_far_the_run_is"),
        (SEEN, "test_a_pause_nobody_waits_for_ends_the_run_resumable"),
    ),
    2: row(
        "429 without a header",
        (REFUSED, "test_without_a_header_the_pause_grows_and_stays_short"),
        (SEEN, "test_a_pause_without_a_time_says_so"),
    ),
    3: row("odd Retry-After", (REFUSED, "test_an_odd_pause_is_tolerated")),
    4: row(
        "daily quota gone",
        (REFUSED, "test_a_spent_quota_is_no_sign_in_error_and_says_when"),
        (SEEN, "test_a_spent_quota_ends_the_run_and_says_when"),
        (SEEN, "test_a_plan_beyond_the_budget_is_refused_or_written_in_parts"),
    ),
    5: row(
        "401 in the middle",
        (REFUSED, "test_a_refused_token_is_renewed_once"),
        (REFUSED, "test_a_token_refused_twice_stops_and_says_how_to_sign_in"),
        (SEEN, "test_a_sign_in_that_ended_says_how_to_sign_in"),
    ),
    6: row(
        "403 for one record or a scope",
        (REFUSED, "test_a_missing_scope_is_named"),
        (REFUSED, "test_a_missing_permission_of_the_app"),
    ),
    7: row(
        "5xx before or after the commit",
        (TORN, "test_a_5xx_after_a_write_tells_nothing"),
        (SEEN, "test_what_is_unconfirmed_is_named_and_settled"),
    ),
    8: row(
        "timeout after the commit",
        (TORN, "test_what_was_committed_before_the_silence_is_found_by_reading"),
        (SEEN, "test_what_is_unconfirmed_is_named_and_settled"),
    ),
    9: row("partial batch", (REFUSED, "test_one_locked_record_is_refused_by_its_own_key")),
    10: row("400 for one bad row", (REFUSED, "test_a_400_for_one_bad_row_is_that_rows_refusal")),
    11: row(
        "200 with an error body",
        (REFUSED, "test_a_200_with_an_unknown_body_after_a_write_is_in_doubt"),
        (REFUSED, "test_a_200_with_an_error_body_on_a_read_is_no_empty_list"),
    ),
    12: row("truncated, length known", *LOST),
    13: row("truncated JSON, length right", UNREADABLE),
    14: row("a web page with 200", UNREADABLE, (SEEN, "test_a_web_page_instead_of_data")),
    15: row(
        "503 page, empty 200, 204",
        UNREADABLE,
        (TORN, "test_a_503_page_on_a_read_is_waited_out"),
        (TORN, "test_a_204_on_a_list_means_no_records_where_the_vendor_says_so"),
        (TORN, "test_a_204_where_data_must_come_is_no_answer"),
    ),
    16: row("slow body", SLOW),
    17: row("slow headers", SLOW),
    18: row("silence", SLOW),
    19: row("reset at once or in the body", *LOST),
    20: row(
        "closed without a reply", *LOST, (TORN, "test_a_kept_connection_closed_as_it_is_used_again")
    ),
    21: row(
        "garbage, bad status line, bad chunk, 2 MB header",
        *LOST,
        (TORN, "test_what_is_not_http_says_check_the_address"),
    ),
    22: row("gzip bomb", UNREADABLE, (TORN, "test_a_bomb_is_stopped_before_it_fills_the_memory")),
    23: row("bad gzip", *LOST),
    24: row(
        "NaN, Infinity, 1e400",
        (VALUES, "test_what_is_no_number_is_named_with_its_field"),
        (VALUES, "test_a_number_beyond_every_double_does_no_harm"),
    ),
    25: row(
        "integers beyond 2^53, 4,300 digits",
        (VALUES, "test_ids_are_text_even_when_they_come_as_large_numbers"),
        (VALUES, "test_five_thousand_digits_are_refused_quickly"),
    ),
    26: row("deep JSON", UNREADABLE, (VALUES, "test_nesting_deeper_than_the_stack_is_unreadable")),
    27: row("duplicate keys", (VALUES, "test_a_key_that_comes_twice_is_never_guessed")),
    28: row("lone surrogate", (VALUES, "test_broken_characters_are_mended_and_told_others_kept")),
    29: row("NUL in text", (VALUES, "test_broken_characters_are_mended_and_told_others_kept")),
    30: row("GBK body", UNREADABLE, (TORN, "test_a_declared_charset_is_used")),
    31: row(
        "emoji, right-to-left, NFD",
        (VALUES, "test_broken_characters_are_mended_and_told_others_kept"),
        (VALUES, "test_composed_and_decomposed_letters_are_the_same_value"),
    ),
    32: row(
        "a field of 2 MB",
        (VALUES, "test_a_text_of_two_megabytes_is_carried_whole"),
        (VALUES, "test_only_fields_that_are_asked_for_are_asked_of_the_crm"),
    ),
    33: row(
        "302 on a write",
        (REFUSED, "test_a_redirect_is_never_followed"),
        (SEEN, "test_a_redirect_says_where_the_account_is"),
    ),
    34: row(
        "redirect to another host",
        (REFUSED, "test_a_redirect_to_another_data_centre_names_it"),
        (REFUSED, "test_a_redirect_is_never_followed"),
    ),
    35: row("token refresh race", (REFUSED, "test_many_connectors_without_a_token_ask_for_one")),
    36: row(
        "repeated or shifting pages",
        (VALUES, "test_a_page_that_comes_again_is_noticed"),
        (VALUES, "test_a_full_page_that_comes_again_is_noticed"),
    ),
    37: row(
        "clock skew",
        (REFUSED, "test_minutes_of_skew_are_told_once"),
        (REFUSED, "test_days_of_skew_stop_everything_before_a_write"),
        (REFUSED, "test_skew_told_with_a_writes_reply_does_not_lose_its_outcome"),
        (SEEN, "test_a_clock_that_is_wrong_is_told_and_by_days_refused"),
    ),
    38: row(
        "field deleted, renamed, retyped, choice gone",
        (SEEN, "test_a_field_that_changed_is_named_with_its_place_before_any_write"),
    ),
    39: row(
        "record deleted, merged or restored since the plan",
        (SEEN, "test_a_record_deleted_since_the_plan_is_a_conflict"),
        (SEEN, "test_a_customer_who_comes_back_after_the_next_pull_is_seen_again"),
        (MERGES, "test_a_record_merged_since_the_plan_is_a_conflict_that_names_the_survivor"),
    ),
    40: row(
        "dates with odd zones",
        (VALUES, "test_odd_zones_of_a_modified_time_are_the_same_moment"),
        (VALUES, "test_a_modified_time_without_a_zone_is_refused_not_guessed"),
        (VALUES, "test_milliseconds_are_never_read_as_seconds"),
        (VALUES, "test_a_modified_time_in_another_form_is_refused"),
    ),
    41: row(
        "cancelled call, leaked slots",
        (TORN, "test_deadlines_in_many_threads_leave_the_connector_usable"),
        (SESSION, "test_deadline_hits_leave_the_pool_usable"),
    ),
    42: row("proxy, netrc, key log", (REFUSED, "test_nothing_comes_from_the_environment")),
}
