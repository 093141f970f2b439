"""The library for other programs: a read-only HTTP API, and tools for the Model Context Protocol.

answers     what is asked of a library, as JSON; both use it
schemas     what the answers look like, for OpenAPI
guard       who may ask over HTTP
app         the HTTP API
server      the HTTP API, started and stopped
tools       the MCP server
"""
