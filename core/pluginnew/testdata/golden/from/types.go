package main

import (
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// eventTypes are what the source makes, with the application's own words for each. Give
// each word that the application sends the type that it means: sdk.Types lists them.
func eventTypes() []sdk.EventType {
	return []sdk.EventType{
		{Type: sdk.TypeTest, Native: []string{"test"}},
		{Type: sdk.TypeUnknown, Native: []string{"Grab"}},
	}
}

// typeOf returns the type that a word of the application means.
func typeOf(word string) sdk.Type {
	for _, t := range eventTypes() {
		if slices.ContainsFunc(t.Native, func(native string) bool { return strings.EqualFold(native, word) }) {
			return t.Type
		}
	}
	return sdk.TypeUnknown
}
