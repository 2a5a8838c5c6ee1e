"""The commands of serving: snapshot, recommend, similar, explain, export."""
