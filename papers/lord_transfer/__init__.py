"""Class Transfer in Music Using LORD (Marsden 2021), played again."""
