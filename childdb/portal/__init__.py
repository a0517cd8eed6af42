"""The portal: released figures as pages, files and an interface for programs; reads, never writes."""
