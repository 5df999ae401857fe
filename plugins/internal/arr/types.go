package arr

import "github.com/hookarr/hookarr/sdk"

// EventTypes returns what an application's source may make: its own types, and those of
// what all applications tell alike.
func EventTypes(own ...sdk.EventType) []sdk.EventType {
	return append(own,
		sdk.EventType{Type: sdk.TypeHealthIssue, Native: []string{"Health"}},
		sdk.EventType{Type: sdk.TypeHealthRestored, Native: []string{"HealthRestored"}},
		sdk.EventType{Type: sdk.TypeAppUpdated, Native: []string{"ApplicationUpdate"}},
		sdk.EventType{Type: sdk.TypeTest, Native: []string{"Test"}},
		sdk.EventType{Type: sdk.TypeUnknown},
	)
}

// Made is one type of event, and the application's words for what becomes it.
func Made(t sdk.Type, native ...string) sdk.EventType { return sdk.EventType{Type: t, Native: native} }
