"""Floor of the house: COPY, money, paginator, admin base, embedded services. Knows no app."""
