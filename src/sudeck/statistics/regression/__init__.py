"""Logistic (plain, Firth, ridge) and linear regression, one fit or thousands at once."""
