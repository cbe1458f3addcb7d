-- The records of a claim as the statements after them need them: versions in their order, and a number
-- for every answered line.
-- Inputs: the stages of keys.sql.

-- name: versions
SELECT
    *,
    coalesce(payer_sequence_code, 'P') = 'P' AS is_primary,
    coalesce(claim_frequency_code, '1') = '8' AS is_void,
    row_number() OVER (
        PARTITION BY claim_key
        ORDER BY submitted_date NULLS FIRST, claim_frequency_code, claim_version_key
    ) AS version_number
FROM versions_in_claims

-- name: keyed_remittance_lines
SELECT *, row_number() OVER (ORDER BY remittance_line_id) AS remittance_line_key
FROM remittance_lines_in_claims

-- name: keyed_adjustments
SELECT
    a.remittance_key,
    s.remittance_line_key,
    a.group_code,
    a.reason_code,
    a.amount_cents
FROM adjustments_in_claims AS a
LEFT JOIN keyed_remittance_lines AS s ON s.remittance_line_id = a.remittance_line_id

-- name: keyed_remarks
SELECT m.remittance_key, s.remittance_line_key, m.remark_id, m.remark_code
FROM remarks_in_claims AS m
LEFT JOIN keyed_remittance_lines AS s ON s.remittance_line_id = m.remittance_line_id
