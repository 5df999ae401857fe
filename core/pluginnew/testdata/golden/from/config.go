package main

// config is the configuration of one instance. Its tags are the only declaration: checks,
// defaults and documentation come from them.
type config struct {
	Instance string   `json:"instance" hookarr:"title=Name of the application" doc:"Name that events have as that of the application."`
	Ignore   []string `json:"ignore" hookarr:"title=Ignored webhooks" doc:"Webhooks that make no event, by their words at eventType, in any case."`
}
