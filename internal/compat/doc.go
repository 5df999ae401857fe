// Package compat tests that this version works together with what others built: plugins in
// another language, and plugins and hosts of earlier versions.
package compat
