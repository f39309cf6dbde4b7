"""What our clients may ask for and what they are told: their orders, their entitlement, market data of pairs. Pure."""
