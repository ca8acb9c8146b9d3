"""What clinical studies ask for: agreement of readers, time to an event, several centres taken together."""
