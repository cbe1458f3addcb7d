-- What files write for insurers, and whose claims their answers are about.

-- name: met
-- Every name and id as written, and on how many records.
SELECT 'claims' AS met_in, payer_name, payer_id, count(*) AS n_records
FROM claims
GROUP BY payer_name, payer_id
UNION ALL
SELECT 'remittances' AS met_in, payer_name, payer_id, count(*) AS n_records
FROM remittances
GROUP BY payer_name, payer_id
UNION ALL
SELECT 'payments' AS met_in, payer_name, payer_id, count(*) AS n_records
FROM payments
GROUP BY payer_name, payer_id

-- name: answered
-- Whose claims an id or name on remittances answers. A secondary insurer answers another's.
SELECT DISTINCT
    r.payer_name,
    r.payer_id,
    c.payer_name AS claim_payer_name,
    c.payer_id AS claim_payer_id
FROM remittances AS r
INNER JOIN claims AS c
    ON upper(trim(c.patient_control_number)) = upper(trim(r.patient_control_number))
WHERE
    r.claim_status_code IS NULL
    OR r.claim_status_code NOT IN ('2', '3', '20', '21', '23', '25')
