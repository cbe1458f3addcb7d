-- Codes that no reference table knows, with their counts: a worklist, never a silent "other".
-- Inputs: adjustments, remarks, service_lines, remittance_lines, claim_diagnoses, claims, carc,
-- rarc, cpt, conditions (without the catch-all).

-- name: unmapped_codes
SELECT 'CARC' AS code_system, reason_code AS code, count(*) AS n_records
FROM adjustments
WHERE reason_code IS NOT NULL AND reason_code NOT IN (SELECT reason_code FROM carc)
GROUP BY reason_code
UNION ALL
SELECT 'RARC', remark_code, count(*)
FROM remarks
WHERE remark_code NOT IN (SELECT remark_code FROM rarc)
GROUP BY remark_code
UNION ALL
SELECT 'CPT', procedure_code, count(*)
FROM (
    SELECT procedure_code FROM service_lines
    UNION ALL
    SELECT procedure_code FROM remittance_lines
) AS codes
WHERE procedure_code IS NOT NULL AND procedure_code NOT IN (SELECT procedure_code FROM cpt)
GROUP BY procedure_code
UNION ALL
SELECT 'ICD-10-CM', d.diagnosis_code, count(*)
FROM claim_diagnoses AS d
INNER JOIN claims AS c ON c.claim_version_id = d.claim_version_id
WHERE
    d.diagnosis_position = 1
    AND NOT EXISTS (
        SELECT 1 FROM conditions AS k
        WHERE
            regexp_matches(d.diagnosis_code, k.icd10_pattern)
            AND (k.valid_from IS NULL OR c.service_date >= CAST(k.valid_from AS DATE))
            AND (k.valid_to IS NULL OR c.service_date <= CAST(k.valid_to AS DATE))
    )
GROUP BY d.diagnosis_code
ORDER BY n_records DESC, code_system, code
