"""Sectigo Certificate Manager as its clients see it: the REST API for TLS ordering.

Sources: Sectigo's manual "Certificate Manager 25.5 REST API" (header logins), its OpenAPI definition "Admin Operations"
25.9.2 (bearer tokens), and what clients met in the field. Where they disagree or say nothing, `options` has the choice.
"""
