-- The visits and limits of every claim, in their order.
-- Inputs: claim_outcomes, what visits.sql made.

-- name: visit_counts
SELECT
    o.claim_id,
    v.n_visits_episode,
    v.n_weeks_episode,
    v.n_visits_year,
    v.n_visits_week,
    v.n_units_visit
FROM claim_outcomes AS o
LEFT JOIN counted_visits AS v ON v.claim_id = o.claim_id
ORDER BY o.claim_id

-- name: visit_limits
SELECT claim_id, limit_kind, CAST(allowed AS DOUBLE) AS allowed, CAST(used AS DOUBLE) AS used, is_past
FROM known_limits
ORDER BY claim_id, limit_kind
