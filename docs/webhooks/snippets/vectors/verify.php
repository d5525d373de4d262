<?php
// Runs verify.php over the signature vectors: one line each, what it says and the name.
require 'snippet/verify.php';

foreach (json_decode(file_get_contents($argv[1]), true)['vectors'] as $vector) {
    $verdict = 'valid';
    try {
        verify_webhook($vector['headers'], base64_decode($vector['body_base64']), $vector['secrets'], $vector['now']);
    } catch (RuntimeException) {
        $verdict = 'invalid';
    }
    echo "$verdict\t{$vector['name']}\n";
}
