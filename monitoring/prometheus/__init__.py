"""What Prometheus is told: which names there are (names), their values from the tables (families), the page (page)."""
