"""Real helpdesks on loopback: started in a scratch folder, seeded, and stopped again."""
