// Calls models as a JavaScript application does, and prints the results as JSON. The SDKs find the server
// by their own environment variables.
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const anthropic = new Anthropic();
const openai = new OpenAI();
const messages = [{ role: "user", content: "Weather in Rome?" }];
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const claude = { model: "claude-haiku-4-5", max_tokens: 99, messages };
const gpt = { model: "gpt-5-mini", messages };

async function texts(stream, of) {
  const found = [];
  for await (const event of stream) {
    const text = of(event);
    if (text) found.push(text);
  }
  return found;
}

const calls = {
  async claude_chat() {
    const reply = await anthropic.messages.create(claude);
    return { text: reply.content[0].text, usage: [reply.usage.input_tokens, reply.usage.output_tokens] };
  },
  async claude_stream() {
    return texts(anthropic.messages.stream(claude), (event) => event.delta?.text);
  },
  async claude_tool() {
    const tools = [{ name: "weather", description: "of a city", input_schema: schema }];
    const reply = await anthropic.messages.create({ ...claude, tools });
    const { name, input } = reply.content.find((block) => block.type === "tool_use");
    return { name, input, stop: reply.stop_reason };
  },
  async gpt_chat() {
    const reply = await openai.chat.completions.create(gpt);
    return { text: reply.choices[0].message.content, usage: [reply.usage.prompt_tokens, reply.usage.completion_tokens] };
  },
  async gpt_stream() {
    const stream = await openai.chat.completions.create({ ...gpt, stream: true });
    return texts(stream, (chunk) => chunk.choices[0]?.delta.content);
  },
  async gpt_tool() {
    const tools = [{ type: "function", function: { name: "weather", parameters: schema } }];
    const { message, finish_reason: stop } = (await openai.chat.completions.create({ ...gpt, tools })).choices[0];
    const { name, arguments: input } = message.tool_calls[0].function;
    return { name, input: JSON.parse(input), stop };
  },
  async gpt_responses() {
    return (await openai.responses.create({ model: "gpt-5-mini", input: "Weather in Rome?" })).output_text;
  },
  async gpt_impatient() {
    return openai.chat.completions.create(gpt, { timeout: 200, maxRetries: 0 });
  },
};

const results = {};
for (const name of process.argv.slice(2)) {
  try {
    results[name] = await calls[name]();
  } catch (error) {
    results[name] = { error: error.constructor.name, status: error.status ?? null, message: error.message };
  }
}
console.log(JSON.stringify(results));
