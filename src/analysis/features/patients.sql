-- Everything that tells of a patient's visits and their limits, by the number of the patient.
-- Inputs: claim_outcomes, line_outcomes, claims, visit_minutes, rules_in_force, fitting_prescriptions.

-- name: patient_keys
-- A number for every patient, in the order of the texts that name them: see outcomes/keys.sql.
SELECT patient_id, row_number() OVER (ORDER BY patient_id) AS patient_key
FROM (SELECT DISTINCT patient_id FROM claim_outcomes WHERE patient_id IS NOT NULL) AS named

-- name: claims_of_patients
-- A voided claim uses no visit.
SELECT
    k.patient_key,
    o.claim_id,
    o.payer_id,
    o.plan_id,
    o.episode_id,
    o.service_date,
    upper(trim(o.patient_control_number)) AS control_number,
    upper(trim(c.authorization_number)) AS authorization_number
FROM patient_keys AS k
INNER JOIN claim_outcomes AS o ON o.patient_id = k.patient_id
LEFT JOIN claims AS c ON c.claim_version_id = o.claim_id
WHERE
    o.final_determination <> 'voided'
    AND o.payer_id IS NOT NULL
    AND o.service_date IS NOT NULL

-- name: lines_of_patients
SELECT c.patient_key, l.claim_id, l.service_date, l.procedure_code, l.units
FROM claims_of_patients AS c
INNER JOIN line_outcomes AS l ON l.claim_id = c.claim_id

-- name: rules_of_patients
SELECT c.patient_key, r.claim_id, r.rule, nullif(r.procedure_code, '') AS procedure_code, r.value
FROM claims_of_patients AS c
INNER JOIN rules_in_force AS r ON r.claim_id = c.claim_id
WHERE r.value IS NOT NULL

-- name: minutes_of_patients
-- By number, for a practice may use one for every visit of a patient.
SELECT
    c.patient_key,
    c.control_number,
    m.service_date,
    coalesce(m.procedure_code, '') AS procedure_code,
    m.n_minutes
FROM (SELECT DISTINCT patient_key, control_number FROM claims_of_patients) AS c
INNER JOIN visit_minutes AS m ON upper(trim(m.patient_control_number)) = c.control_number

-- name: prescriptions_of_patients
SELECT c.patient_key, f.claim_id, f.prescription_id
FROM claims_of_patients AS c
INNER JOIN fitting_prescriptions AS f ON f.claim_id = c.claim_id
