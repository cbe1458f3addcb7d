-- Where matching begins (see line_matches.sql).

-- name: line_matches
SELECT
    remittance_line_id,
    claim_id,
    '' AS service_line_id,
    '' AS slot,
    '' AS match_kind,
    false AS is_doubtful
FROM parts_in_claims
WHERE false
