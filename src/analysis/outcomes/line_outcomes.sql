-- The tables of lines that leave this step: what each answered line is about, and what each line sent
-- or answered came to.
-- Inputs: the stages of keys.sql, answers.sql and determinations.sql.

-- name: line_lineage
SELECT
    r.remittance_line_id,
    c.claim_id,
    m.service_line_id,
    coalesce(m.match_kind, 'beyond') AS match_kind,
    coalesce(m.is_doubtful, false) AS is_doubtful
FROM parts_in_claims AS p
INNER JOIN keyed_remittance_lines AS r ON r.remittance_line_key = p.remittance_line_key
INNER JOIN claim_keys AS c ON c.claim_key = p.claim_key
LEFT JOIN line_matches AS m ON m.remittance_line_key = p.remittance_line_key
ORDER BY p.claim_key, p.remittance_line_key

-- name: current_lines
SELECT s.*
FROM service_slots AS s
INNER JOIN latest_versions AS v ON v.claim_version_key = s.claim_version_key

-- name: lines_beyond
-- What insurers answered beyond the lines of the latest version.
SELECT
    e.claim_key,
    e.slot,
    min(e.procedure_code) AS procedure_code,
    min(e.modifiers) AS modifiers,
    min(e.service_date) AS service_date,
    max(abs(e.charge_cents)) AS charge_cents
FROM events AS e
WHERE NOT EXISTS (
    SELECT 1 FROM current_lines AS s WHERE s.claim_key = e.claim_key AND s.slot = e.slot
)
GROUP BY e.claim_key, e.slot

-- name: split_charges
-- The charge of a line answered in parts is shared with the parts, so that lines add up to claims.
SELECT s.service_line_id, sum(b.charge_cents) AS parts_cents
FROM lines_beyond AS b
INNER JOIN current_lines AS s
    ON
        s.claim_key = b.claim_key
        AND s.slot = coalesce(b.procedure_code, '') || '@'
        || coalesce(CAST(date_diff('day', DATE '1970-01-01', b.service_date) AS VARCHAR), '')
GROUP BY s.service_line_id, s.charge_cents
HAVING sum(b.charge_cents) < s.charge_cents

-- name: outcome_lines
SELECT
    s.claim_key,
    s.slot,
    s.line_number,
    s.procedure_code,
    s.modifiers,
    s.units,
    s.service_date,
    s.charge_cents - coalesce(p.parts_cents, 0) AS charge_cents
FROM current_lines AS s
LEFT JOIN split_charges AS p ON p.service_line_id = s.service_line_id
UNION ALL
SELECT
    claim_key,
    slot,
    1000 + row_number() OVER (PARTITION BY claim_key ORDER BY slot) AS line_number,
    procedure_code,
    modifiers,
    CAST(NULL AS DOUBLE) AS units,
    service_date,
    charge_cents
FROM lines_beyond

-- name: line_outcomes
SELECT
    i.claim_id,
    o.line_number,
    o.procedure_code,
    o.modifiers,
    o.units,
    o.service_date,
    o.charge_cents,
    CASE
        WHEN l.final_determination IN ('approved', 'partially_approved', 'denied')
            AND d.final_determination <> 'voided'
            THEN coalesce(l.final_allowed_cents, 0)
        ELSE 0
    END AS allowed_cents,
    coalesce(l.paid_cents, 0) AS paid_cents,
    coalesce(
        l.first_determination,
        CASE
            WHEN d.first_determination IN ('voided', 'rejected') THEN d.first_determination
            WHEN l.has_rejected = 1 AND coalesce(l.has_pending, 0) = 0 THEN 'rejected'
            WHEN coalesce(l.has_pending, 0) = 0 AND l.has_undecided = 1 THEN 'unknown'
            ELSE 'pending'
        END
    ) AS first_determination,
    l.first_date AS first_determination_date,
    CASE
        WHEN d.final_determination = 'voided' THEN 'voided'
        WHEN l.final_determination IS NOT NULL THEN l.final_determination
        WHEN d.final_determination = 'rejected' THEN 'rejected'
        WHEN coalesce(l.has_pending, 0) = 0 AND l.has_undecided = 1 THEN 'unknown'
        ELSE 'pending'
    END AS final_determination,
    l.final_date AS final_determination_date,
    CASE WHEN l.first_determination IN ('denied', 'partially_approved') THEN l.first_category END
        AS denial_category,
    CASE WHEN l.first_determination IN ('denied', 'partially_approved') THEN l.first_reason_code END
        AS denial_reason_code,
    CASE WHEN l.first_determination IN ('denied', 'partially_approved') THEN l.first_remark_code END
        AS denial_remark_code,
    CASE WHEN l.final_determination IN ('denied', 'partially_approved') THEN l.final_category END
        AS final_denial_category
FROM outcome_lines AS o
INNER JOIN claim_keys AS i ON i.claim_key = o.claim_key
INNER JOIN line_states AS l ON l.claim_key = o.claim_key AND l.slot = o.slot
INNER JOIN determined_claims AS d ON d.claim_key = o.claim_key
ORDER BY o.claim_key, o.line_number
