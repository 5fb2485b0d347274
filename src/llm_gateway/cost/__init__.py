"""What calls cost: prices by provider, model and date. Money is Decimal; an unknown price is None."""
