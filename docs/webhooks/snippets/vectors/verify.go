package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

// Runs verify.go over the signature vectors: one line each, what it says and the name.
func main() {
	var file struct {
		Vectors []struct {
			Name    string
			Headers map[string]string
			Body    []byte `json:"body_base64"`
			Secrets []string
			Now     int64
		}
	}
	text, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil {
		panic(err)
	}
	for _, vector := range file.Vectors {
		header := http.Header{}
		for name, value := range vector.Headers {
			header.Set(name, value)
		}
		verdict := "valid"
		if _, err := VerifyWebhook(header, vector.Body, vector.Secrets, time.Unix(vector.Now, 0)); err != nil {
			verdict = "invalid"
		}
		fmt.Printf("%s\t%s\n", verdict, vector.Name)
	}
}
