-- What each claim came to by itself, before claims are held against one another.
-- Inputs: conditions, and the stages of keys.sql, records.sql, answers.sql, determinations.sql and
-- appeal_answers.sql.

-- name: sent_diagnoses
-- The principal diagnoses as first sent, with the day that tells which patterns are in force.
SELECT DISTINCT diagnosis_code, coalesce(service_date, submitted_date) AS diagnosis_date
FROM versions
WHERE version_number = 1

-- name: code_patterns
-- Each code once: comparing patterns is slow, and a practice's claims repeat few codes.
SELECT
    d.diagnosis_code,
    k.condition_group = 'other' AS is_catch_all,
    CAST(k.valid_from AS DATE) AS valid_from,
    CAST(k.valid_to AS DATE) AS valid_to,
    k.pattern_order
FROM (SELECT DISTINCT diagnosis_code FROM sent_diagnoses) AS d
INNER JOIN conditions AS k ON regexp_matches(d.diagnosis_code, k.icd10_pattern)

-- name: ranked_conditions
-- Patterns in force come first, then those out of force, then the catch-all.
SELECT pattern_order AS place, condition_group FROM conditions
UNION ALL
SELECT 1000 + pattern_order, condition_group FROM conditions
UNION ALL
SELECT 2000 + pattern_order, condition_group FROM conditions

-- name: claim_conditions
-- The principal diagnosis by day of service; the first pattern that fits wins. A code sent outside
-- its dates still names its condition when no pattern in force does; `sent_diagnosis_in_force` among
-- the checks marks it.
SELECT c.diagnosis_code, c.diagnosis_date, r.condition_group
FROM (
    SELECT
        h.diagnosis_code,
        h.diagnosis_date,
        min(
            k.pattern_order
            + CASE
                WHEN k.is_catch_all THEN 2000
                WHEN h.diagnosis_date < k.valid_from OR h.diagnosis_date > k.valid_to THEN 1000
                ELSE 0
            END
        ) AS place
    FROM sent_diagnoses AS h
    INNER JOIN code_patterns AS k ON k.diagnosis_code = h.diagnosis_code
    GROUP BY h.diagnosis_code, h.diagnosis_date
) AS c
INNER JOIN ranked_conditions AS r ON r.place = c.place

-- name: claim_identities
SELECT
    i.claim_key,
    i.claim_id,
    coalesce(f.patient_control_number, r.patient_control_number) AS patient_control_number,
    coalesce(f.patient_id, r.patient_id) AS patient_id,
    coalesce(f.payer_id, r.payer_id) AS payer_id,
    f.plan_id,
    coalesce(f.service_date, r.service_date) AS service_date,
    f.submitted_date,
    coalesce(k.condition_group, 'unknown') AS condition_group,
    coalesce(l.charge_cents, abs(r.charge_cents), 0) AS charge_cents
FROM claim_keys AS i
LEFT JOIN first_versions AS f ON f.claim_key = i.claim_key
LEFT JOIN claim_conditions AS k
    ON
        k.diagnosis_code = f.diagnosis_code
        AND k.diagnosis_date IS NOT DISTINCT FROM coalesce(f.service_date, f.submitted_date)
LEFT JOIN latest_versions AS l ON l.claim_key = i.claim_key
LEFT JOIN answers AS r ON r.claim_key = i.claim_key AND r.answer_number = 1

-- name: answered_claims
SELECT
    f.*,
    coalesce(v.n_versions, 0) AS n_versions,
    coalesce(v.is_corrected, 0) = 1 AS is_corrected,
    coalesce(a.n_remittances, 0) AS n_remittances,
    coalesce(a.paid_cents, 0) AS paid_cents,
    coalesce(a.is_reversed, 0) = 1 AS is_reversed,
    z.reversal_reason,
    w.source AS outcome_source
FROM claim_identities AS f
LEFT JOIN version_facts AS v ON v.claim_key = f.claim_key
LEFT JOIN answer_facts AS a ON a.claim_key = f.claim_key
LEFT JOIN last_reversal_reasons AS z ON z.claim_key = f.claim_key
LEFT JOIN first_answered AS y ON y.claim_key = f.claim_key
LEFT JOIN answers AS w ON w.remittance_key = y.remittance_key

-- name: claim_histories
SELECT
    f.*,
    d.first_determination,
    d.first_date,
    date_diff('day', f.submitted_date, d.first_date) AS days_to_first_determination,
    d.final_determination,
    CASE
        WHEN d.final_determination IN ('approved', 'partially_approved', 'denied') THEN d.final_date
    END AS final_date,
    CASE
        WHEN d.final_determination IN ('approved', 'partially_approved', 'denied')
            THEN coalesce(d.allowed_cents, 0) + coalesce(m.claim_level_cents, 0)
        ELSE 0
    END AS allowed_cents,
    CASE
        WHEN d.final_determination IN ('approved', 'partially_approved', 'denied')
            THEN coalesce(m.patient_part_cents, 0)
        ELSE 0
    END AS patient_responsibility_cents,
    CASE
        WHEN d.first_determination IN ('denied', 'partially_approved') THEN c.first_category
    END AS denial_category,
    CASE
        WHEN d.first_determination IN ('denied', 'partially_approved') THEN c.first_reason_code
    END AS denial_reason_code,
    CASE
        WHEN d.first_determination IN ('denied', 'partially_approved') THEN c.first_remark_code
    END AS denial_remark_code,
    CASE
        WHEN d.final_determination IN ('denied', 'partially_approved') THEN c.final_category
    END AS final_denial_category
FROM answered_claims AS f
INNER JOIN determined_claims AS d ON d.claim_key = f.claim_key
LEFT JOIN claim_reasons AS c ON c.claim_key = f.claim_key
LEFT JOIN standing_money AS m ON m.claim_key = f.claim_key
