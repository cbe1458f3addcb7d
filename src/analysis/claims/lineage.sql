-- Which claim versions and remittances belong to one claim.
-- Inputs: claims, service_lines, remittances. Edges first, then labels spread along them (see
-- lineage.py), then remittances are placed.

-- name: line_signatures
-- What was done and charged, whatever the modifiers: a resubmission often changes those.
SELECT
    claim_version_id,
    string_agg(
        procedure_code || '/' || CAST(charge_cents AS VARCHAR),
        '+' ORDER BY procedure_code, charge_cents, line_number
    ) AS signature
FROM service_lines
GROUP BY claim_version_id

-- name: versions
SELECT
    c.claim_version_id,
    upper(trim(c.patient_control_number)) AS control_number,
    c.claim_frequency_code,
    upper(trim(c.original_reference_number)) AS reference_number,
    c.patient_id,
    c.payer_id,
    c.service_date,
    c.service_to_date,
    c.submitted_date,
    c.charge_cents,
    coalesce(c.payer_sequence_code, 'P') AS payer_sequence_code,
    s.signature,
    row_number() OVER (
        ORDER BY c.submitted_date NULLS FIRST, c.claim_frequency_code, c.claim_version_id
    ) AS version_order
FROM claims AS c
LEFT JOIN line_signatures AS s ON s.claim_version_id = c.claim_version_id

-- name: referenced_numbers
-- REF F8 names the insurer's number of the earlier claim; some practices write their own there.
SELECT DISTINCT v.claim_version_id, w.control_number, w.service_date
FROM versions AS v
INNER JOIN remittances AS r ON upper(trim(r.payer_claim_control_number)) = v.reference_number
INNER JOIN versions AS w
    ON
        w.control_number = upper(trim(r.patient_control_number))
        AND (r.service_date IS NULL OR r.service_date = w.service_date)
        AND (w.patient_id = v.patient_id OR w.control_number = v.control_number)
UNION
SELECT DISTINCT v.claim_version_id, w.control_number, w.service_date
FROM versions AS v
INNER JOIN versions AS w ON w.control_number = v.reference_number

-- name: version_keys
-- Versions that share a key are versions of one claim. A control number alone proves nothing:
-- practices reuse it for a patient's every visit, so the day of service stands beside it.
SELECT
    claim_version_id,
    'number:' || coalesce(control_number, claim_version_id) || '@'
    || coalesce(CAST(service_date AS VARCHAR), '') AS version_key
FROM versions
UNION ALL
SELECT
    claim_version_id,
    'number:' || control_number || '@' || coalesce(CAST(service_date AS VARCHAR), '')
FROM referenced_numbers
WHERE control_number IS NOT NULL
UNION ALL
SELECT
    claim_version_id,
    'service:' || patient_id || '@' || CAST(service_date AS VARCHAR) || '@' || payer_id || '@'
    || signature
FROM versions
WHERE
    patient_id IS NOT NULL
    AND service_date IS NOT NULL
    AND payer_id IS NOT NULL
    AND signature IS NOT NULL

-- name: labels
SELECT claim_version_id, version_order AS label
FROM versions
