"""Whose claims are whose, for all that counts or draws by patient."""

import pandas as pd


def patients(claims: pd.DataFrame) -> pd.Series:
    """Each row's patient as a number, in the rows' order; a claim that names none stands alone.

    `claims` has claim_id and patient_id; a claim may fill several rows. The numbers follow the
    patients' first claim ids and not their pseudonyms: those hang on a practice's secret key, and
    no figure may hang on it.
    """
    named = claims["patient_id"].fillna(claims["claim_id"])
    first = claims["claim_id"].groupby(named.to_numpy()).min().sort_values().index
    numbers = pd.Series(range(len(first)), index=first, dtype="int64")
    return pd.Series(numbers.reindex(named.to_numpy()).to_numpy(), index=claims.index)
