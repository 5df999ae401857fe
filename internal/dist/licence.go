package main

import (
	"regexp"
	"strings"
)

var (
	spdx   = regexp.MustCompile(`SPDX-License-Identifier: ([-.\w ]+[-.\w])`)
	spaces = regexp.MustCompile("[\\s>*#`\"“”]+")
)

// licencesOf names the licences in a text by their SPDX identifiers. It knows those that are in
// use here and no others, so that a person looks at what a new dependency brings.
func licencesOf(text string) []string {
	if m := spdx.FindStringSubmatch(text); m != nil {
		return []string{m[1]}
	}
	text = strings.ToLower(spaces.ReplaceAllString(text, " "))
	has := func(phrase string) bool { return strings.Contains(text, phrase) }
	var found []string
	add := func(id string, is bool) {
		if is {
			found = append(found, id)
		}
	}
	const (
		bsd   = "redistribution and use in source and binary forms"
		isc   = "this software for any purpose with or without fee is hereby granted"
		terms = isc + ", provided"
	)
	add("MPL-2.0", has("mozilla public license version 2.0") || has("mozilla public license, version 2.0"))
	add("Apache-2.0", has("apache license version 2.0") || has("apache license, version 2.0"))
	add("BSD-3-Clause", has(bsd) && has("neither the name"))
	add("BSD-2-Clause", has(bsd) && !has("neither the name"))
	add("MIT", has("permission is hereby granted, free of charge"))
	add("ISC", has(terms))
	add("0BSD", has(isc) && !has(terms))
	add("blessing", has("sqlite is public domain"))
	return found
}
