package sdk

// HTTP posts to endpoints.
type HTTP struct{}
