-- Which prescriptions speak for a claim's diagnoses.
-- Inputs: prescriptions, claim_outcomes, claim_diagnoses.

-- name: prescribed_codes
SELECT
    p.prescription_id,
    p.patient_id,
    n.code
FROM prescriptions AS p
CROSS JOIN unnest(string_split(p.diagnosis_codes, ':')) AS n (code)

-- name: fitting_prescriptions
-- A code is written in the chart shorter than it is billed, so M54.5 speaks for M54.50 as well.
-- Joined by patient first: every code against every diagnosis would take the square of the claims.
SELECT DISTINCT n.prescription_id, o.claim_id
FROM prescribed_codes AS n
INNER JOIN claim_outcomes AS o ON o.patient_id = n.patient_id
INNER JOIN claim_diagnoses AS d
    ON d.claim_version_id = o.claim_id AND starts_with(d.diagnosis_code, n.code)
