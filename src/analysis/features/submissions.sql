-- Everything that tells of a claim's documents, by the number of the claim.
-- Inputs: claims, service_lines, remittances, remarks, attested_documents, visit_minutes,
-- rules_in_force, claim_lineage, claim_outcomes, claim_diagnoses, fitting_prescriptions, checklist,
-- rarc.

-- name: claim_keys
-- A number for every claim that was sent, in the order of the texts that name them: see
-- outcomes/keys.sql. A claim is named by its first version; one known from remittances alone was
-- never seen.
SELECT claim_id, row_number() OVER (ORDER BY claim_id) AS claim_key
FROM claim_outcomes
WHERE claim_id IN (SELECT claim_version_id FROM claims)

-- name: submissions
SELECT
    k.claim_key,
    k.claim_id,
    upper(trim(c.patient_control_number)) AS control_number,
    c.patient_id,
    c.payer_id,
    c.service_date,
    coalesce(c.service_to_date, c.service_date) AS service_to_date,
    c.submitted_date,
    c.authorization_number,
    c.referral_number,
    c.referring_provider_id,
    c.rendering_provider_id,
    coalesce(c.onset_date, c.accident_date, c.initial_treatment_date) AS first_date,
    ':' || coalesce(c.attachment_codes, '') || ':' AS attachment_codes,
    ':' || coalesce(c.note_codes, '') || ':' AS note_codes,
    o.payer_type,
    o.condition_group,
    -- Unless the visit is known to be a later one, only what every visit needs is asked for.
    coalesce(o.visit_number, 1) AS visit_number
FROM claim_keys AS k
INNER JOIN claims AS c ON c.claim_version_id = k.claim_id
INNER JOIN claim_outcomes AS o ON o.claim_id = k.claim_id

-- name: lines_of_submissions
SELECT k.claim_key, l.procedure_code, l.authorization_number
FROM claim_keys AS k
INNER JOIN service_lines AS l ON l.claim_version_id = k.claim_id

-- name: diagnosed_submissions
SELECT DISTINCT k.claim_key
FROM claim_keys AS k
INNER JOIN claim_diagnoses AS d ON d.claim_version_id = k.claim_id

-- name: rules_for_submissions
-- One on a code speaks for the claims that bill it.
SELECT k.claim_key, r.rule, r.procedure_code, r.value
FROM claim_keys AS k
INNER JOIN rules_in_force AS r ON r.claim_id = k.claim_id
WHERE r.rule = 'referral_required' OR (r.rule = 'authorization_after_visit' AND r.value IS NOT NULL)

-- name: prescriptions_for_submissions
SELECT k.claim_key, f.prescription_id
FROM claim_keys AS k
INNER JOIN fitting_prescriptions AS f ON f.claim_id = k.claim_id

-- name: noted_answers
-- What the practice wrote down of the visit, and the minutes it noted.
SELECT s.claim_key, a.item_id, a.service_date, a.status, a.existed_date
FROM submissions AS s
INNER JOIN attested_documents AS a
    ON
        upper(trim(a.patient_control_number)) = s.control_number
        AND (
            a.service_date IS NULL
            OR (a.service_date >= s.service_date AND a.service_date <= s.service_to_date)
        )
WHERE a.status <> 'unknown'
UNION ALL
SELECT s.claim_key, 'D08_minutes', m.service_date, 'present', CAST(NULL AS DATE)
FROM submissions AS s
INNER JOIN visit_minutes AS m
    ON
        upper(trim(m.patient_control_number)) = s.control_number
        AND m.service_date >= s.service_date
        AND m.service_date <= s.service_to_date

-- name: remarks_on_submissions
-- An insurer's remark that a document lacks. It comes after the decision: no feature reads it.
SELECT s.claim_key, k.item_id, k.remark_code, r.payment_date
FROM claim_keys AS s
INNER JOIN claim_lineage AS l ON l.record = 'remittance' AND l.claim_id = s.claim_id
INNER JOIN remarks AS m ON m.remittance_id = l.record_id
INNER JOIN rarc AS k ON k.remark_code = m.remark_code
INNER JOIN checklist AS i ON i.item_id = k.item_id
LEFT JOIN remittances AS r ON r.remittance_id = l.record_id
