# Runs verify.rb over the signature vectors: one line each, what it says and the name.
require "json"
require "./snippet/verify"

JSON.parse(File.read(ARGV[0], encoding: "UTF-8"))["vectors"].each do |vector|
  verdict = "valid"
  begin
    verify_webhook(vector["headers"], Base64.decode64(vector["body_base64"]), vector["secrets"], vector["now"])
  rescue NotTrusted
    verdict = "invalid"
  end
  puts "#{verdict}\t#{vector["name"]}"
end
